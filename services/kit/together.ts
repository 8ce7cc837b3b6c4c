// Work that arrives close together is done together: under load one call stands for many, alone nothing waits.
import { setTimeout as pause } from 'node:timers/promises';

export interface TogetherOptions {
  /** Pieces in one go. */
  readonly most?: number;
  /** Weight of all pieces in one go, as `weigh` of the constructor tells it; a piece that is heavier goes alone. */
  readonly mostWeight?: number;
  /** Goes under way at once. */
  readonly atOnce?: number;
  /** Milliseconds that a go waits for company, if the one before it began less than {@link BUSY} milliseconds ago. */
  readonly linger?: number;
}

/** Milliseconds between two goes from which on nobody is expected to come along. */
const BUSY = 100;

interface Piece<In, Out> {
  readonly piece: In;
  readonly resolve: (out: Promise<Out>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers single calls of {@link Together.add} into goes. Pieces are independent of each other and may be repeated: whose
 * go fails as a whole cannot tell whether its piece was done, and asks again, perhaps beside others.
 */
export class Together<In, Out> {
  readonly #go: (pieces: readonly In[]) => Promise<readonly Promise<Out>[]>;
  readonly #most: number;
  readonly #mostWeight: number;
  readonly #weigh: (piece: In) => number;
  readonly #atOnce: number;
  readonly #linger: number;
  readonly #waiting: Piece<In, Out>[] = [];
  #underWay = 0;
  #begun = Number.NEGATIVE_INFINITY;
  #gathering = false;

  /** `go` answers a promise for each piece, in order; when it throws, every piece of it fails with that. */
  constructor(
    go: (pieces: readonly In[]) => Promise<readonly Promise<Out>[]>,
    options: TogetherOptions = {},
    weigh: (piece: In) => number = () => 0,
  ) {
    this.#go = go;
    this.#most = options.most ?? 50;
    this.#mostWeight = options.mostWeight ?? Number.POSITIVE_INFINITY;
    this.#weigh = weigh;
    this.#atOnce = options.atOnce ?? 2;
    this.#linger = options.linger ?? 8;
  }

  /** What `go` answers for this piece. */
  add(piece: In): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ piece, resolve, reject });
      this.#gather();
    });
  }

  #gather(): void {
    if (this.#gathering || this.#waiting.length === 0 || this.#underWay >= this.#atOnce) return;
    this.#gathering = true;
    const busy = performance.now() - this.#begun < BUSY;
    const company = busy && this.#waiting.length < this.#most ? pause(this.#linger) : Promise.resolve();
    void company.then(() => this.#set());
  }

  #set(): void {
    this.#gathering = false;
    this.#begun = performance.now();
    this.#underWay += 1;
    const pieces = this.#waiting.splice(0, this.#fitting());
    void this.#run(pieces).finally(() => {
      this.#underWay -= 1;
      this.#gather();
    });
    this.#gather();
  }

  /** How many of those who wait go next: the first always does. */
  #fitting(): number {
    let weight = 0;
    const heavy = this.#waiting.findIndex(({ piece }) => {
      weight += this.#weigh(piece);
      return weight > this.#mostWeight;
    });
    return Math.min(this.#most, heavy < 0 ? this.#waiting.length : Math.max(1, heavy));
  }

  async #run(pieces: readonly Piece<In, Out>[]): Promise<void> {
    try {
      const outs = await this.#go(pieces.map(({ piece }) => piece));
      for (const [index, { resolve, reject }] of pieces.entries()) {
        const out = outs[index];
        if (out === undefined) reject(new Error('a piece of work was left out'));
        else resolve(out);
      }
    } catch (error) {
      for (const { reject } of pieces) reject(error);
    }
  }
}
