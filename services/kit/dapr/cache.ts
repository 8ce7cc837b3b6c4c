// Answers that may be lost at any time, in a Dapr state component named `cache`. Nothing is kept there that cannot be
// made again, and nobody waits for it: a cache that fails or is slow is left alone for a while.
import type { Metrics } from '../http/metrics.ts';
import type { Sidecar } from './sidecar.ts';

export interface CacheOptions {
  /** Seconds for which a value is kept; 60 unless told. */
  readonly seconds?: number;
  /** Values that this process keeps within that time, so that the memory of a sidecar has a bound; 500 unless told. */
  readonly most?: number;
  /** Milliseconds until a call is given up; 50 unless told. */
  readonly timeout?: number;
  /** Milliseconds for which a cache that failed is not called again; 5,000 unless told. */
  readonly rest?: number;
  readonly metrics?: Metrics | undefined;
}

const STORE = 'cache';
/** Characters of a value as JSON: a longer one is made anew each time. */
const LONGEST = 16_384;

/**
 * The key of a value must name all that the value depends on, the version of its source included: then a value is never
 * wrong, and what was superseded is not asked for any more and ends by its time to live.
 */
export class Cache {
  readonly #sidecar: Sidecar;
  readonly #seconds: number;
  readonly #most: number;
  readonly #timeout: number;
  readonly #rest: number;
  readonly #count: (labels: { outcome: 'hit' | 'miss' | 'failed' | 'skipped' }) => void;
  readonly #underWay = new Map<string, Promise<unknown>>();
  #restUntil = 0;
  #kept = 0;
  #keptSince = 0;

  constructor(sidecar: Sidecar, options: CacheOptions = {}) {
    this.#sidecar = sidecar;
    this.#seconds = options.seconds ?? 60;
    this.#most = options.most ?? 500;
    this.#timeout = options.timeout ?? 50;
    this.#rest = options.rest ?? 5_000;
    this.#count = options.metrics?.counter('cache_reads_total', 'Reads of the cache by outcome') ?? (() => {});
  }

  /**
   * The value that is kept under the key, else the one that `make` makes, which is kept from now on. Who asks for the same
   * key at the same time gets the same. Throws only what `make` throws.
   */
  through<T extends object>(key: string, make: () => Promise<T>): Promise<T> {
    const running = this.#underWay.get(key);
    if (running) return running as Promise<T>;
    const value = this.#find(key, make).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, value);
    return value;
  }

  async #find<T extends object>(key: string, make: () => Promise<T>): Promise<T> {
    const known = await this.#read<T>(key);
    if (known !== undefined) return known;
    const value = await make();
    void this.#keep(key, value);
    return value;
  }

  async #read<T>(key: string): Promise<T | undefined> {
    if (this.#rests()) {
      this.#count({ outcome: 'skipped' });
      return undefined;
    }
    try {
      const found = await this.#sidecar.get<T>(STORE, key, { timeout: this.#timeout });
      this.#count({ outcome: found ? 'hit' : 'miss' });
      return found?.value;
    } catch {
      this.#leaveAlone();
      this.#count({ outcome: 'failed' });
      return undefined;
    }
  }

  async #keep(key: string, value: object): Promise<void> {
    if (this.#rests() || this.#isFull() || JSON.stringify(value).length > LONGEST) return;
    this.#kept += 1;
    try {
      await this.#sidecar.save(STORE, key, value, 'any', { ttlSeconds: this.#seconds, timeout: this.#timeout });
    } catch {
      this.#leaveAlone();
    }
  }

  #rests(): boolean {
    return performance.now() < this.#restUntil;
  }

  #leaveAlone(): void {
    this.#restUntil = performance.now() + this.#rest;
  }

  #isFull(): boolean {
    const now = performance.now();
    if (now - this.#keptSince >= this.#seconds * 1_000) {
      this.#keptSince = now;
      this.#kept = 0;
    }
    return this.#kept >= this.#most;
  }
}
