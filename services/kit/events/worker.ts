// External effects (provider, mail) outside of any handler: few at a time, repeated until the outcome is known.
import type { Logger } from 'pino';

export interface WorkerOptions {
  /** Does the effect for one key and saves its outcome. `pending`: no outcome yet, try again later. Idempotent by key. */
  readonly perform: (key: string) => Promise<'done' | 'pending'>;
  readonly log: Logger;
  /** Keys at work at once; 8 unless told. */
  readonly concurrency?: number;
}

/** Milliseconds before the second try; they double with each further one, up to {@link LONGEST}. */
const SHORTEST = 1_000;
const LONGEST = 5_000;

/** Lives in memory only: what is lost with the process comes back by the work sweep. */
export class Worker {
  readonly #options: Required<WorkerOptions>;
  /** Keys known here: waiting, at work or between two tries, with the pause before the next try. */
  readonly #known = new Map<string, { pause: number; timer?: NodeJS.Timeout }>();
  readonly #ready: string[] = [];
  #running = 0;
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(options: WorkerOptions) {
    this.#options = { concurrency: 8, ...options };
  }

  /** Starts work on a key, unless it is under way here. A key between two tries is tried now. */
  wake(key: string): void {
    if (this.#stopped) return;
    const known = this.#known.get(key);
    if (known && !known.timer) return;
    if (known?.timer) clearTimeout(known.timer);
    this.#known.set(key, { pause: known?.pause ?? SHORTEST });
    this.#ready.push(key);
    this.#next();
  }

  /** Starts work on a key that is not known here. One that is waits for its own next try. */
  offer(key: string): void {
    if (!this.#known.has(key)) this.wake(key);
  }

  /** Takes nothing new and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ready.length = 0;
    for (const { timer } of this.#known.values()) clearTimeout(timer);
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #next(): void {
    while (this.#running < this.#options.concurrency) {
      const key = this.#ready.shift();
      if (key === undefined) return;
      this.#running += 1;
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    let outcome: 'done' | 'pending' = 'pending';
    try {
      outcome = await this.#options.perform(key);
    } catch (error) {
      this.#options.log.warn({ err: error, key }, 'no outcome yet: it is tried again');
    }
    this.#running -= 1;
    if (outcome === 'done') this.#known.delete(key);
    else this.#later(key);
    if (this.#stopped && this.#running === 0) this.#idle?.();
    this.#next();
  }

  #later(key: string): void {
    const pause = this.#known.get(key)?.pause ?? SHORTEST;
    if (this.#stopped) return;
    const timer = setTimeout(() => this.wake(key), pause);
    timer.unref();
    this.#known.set(key, { pause: Math.min(pause * 2, LONGEST), timer });
  }
}
