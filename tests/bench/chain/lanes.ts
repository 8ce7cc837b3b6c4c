// The eight lanes of an outbox: documents that commands write along, whose ETags are read ahead as our kit reads them.

const LANES = 8;

export class Lane {
  readonly key: string;
  /** A transaction answers no ETag: after a write it has to be read. */
  stale = true;
  writes = 0;
  #etag: string | undefined;

  constructor(key: string) {
    this.key = key;
  }

  /** What a read found that began after so many writes. */
  learn(etag: string | undefined, writes: number): void {
    if (writes !== this.writes) return;
    this.#etag = etag;
    this.stale = false;
  }

  /** The ETag that guards the next write; undefined for the first one ever. */
  write(): string | undefined {
    this.stale = true;
    this.writes += 1;
    return this.#etag;
  }
}

export class Lanes {
  readonly #read: (keys: readonly string[]) => Promise<readonly (string | undefined)[]>;
  readonly #free = Array.from({ length: LANES }, (_, n) => new Lane(`lane:${n}`));
  readonly #waiting: ((lane: Lane) => void)[] = [];

  /** `read` answers the ETag of each key, in one call. */
  constructor(read: (keys: readonly string[]) => Promise<readonly (string | undefined)[]>) {
    this.#read = read;
  }

  /** Runs a transaction in a lane of its own; with all of them taken it waits. */
  async run(transaction: (lane: Lane) => Promise<void>): Promise<void> {
    const lane = this.#free.shift() ?? (await new Promise<Lane>((resolve) => this.#waiting.push(resolve)));
    try {
      await transaction(lane);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(lane);
      else this.#free.push(lane);
    }
  }

  /** Reads the lane's ETag unless it is known, and with it those of the free lanes that need theirs. */
  async load(lane: Lane): Promise<void> {
    if (!lane.stale) return;
    const stale = [lane, ...this.#free.filter((free) => free.stale)];
    const begun = stale.map(({ writes }) => writes);
    const etags = await this.#read(stale.map(({ key }) => key));
    for (const [index, each] of stale.entries()) each.learn(etags[index], begun[index] ?? 0);
  }
}
