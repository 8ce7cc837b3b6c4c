// Time that passes only when everything that can happen now has happened, so that a minute of waiting costs nothing and
// every run with the same seed is the same run.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import type { Random } from './random.ts';

/** Where virtual time begins. */
const EPOCH = Date.UTC(2026, 2, 1, 8);

interface Entry {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export class VirtualTime {
  /** Milliseconds since the beginning. */
  now = 0;
  #heap: Entry[] = [];
  #order = 0;
  #stopped = false;

  /** The time as the services read it. */
  date(): Date {
    return new Date(EPOCH + Math.floor(this.now));
  }

  /** Runs something `delay` milliseconds from now. Answers how to call it off. */
  schedule(delay: number, run: () => void): () => void {
    this.#order += 1;
    const entry: Entry = { at: this.now + Math.max(0, delay), order: this.#order, run };
    push(this.#heap, entry);
    return () => {
      entry.run = undefined;
    };
  }

  pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.schedule(milliseconds, resolve));
  }

  /** Nothing happens any more: whoever lets time pass gets it at once. */
  stop(): void {
    this.#stopped = true;
  }

  /** Lets time pass until a moment (milliseconds since the beginning). Between two happenings all promises settle. */
  pass(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      // A tick runs when the queue of microtasks is empty; asked for from a microtask, it comes after all that follow.
      const settle = () => queueMicrotask(() => process.nextTick(step));
      const step = () => {
        const next = this.#heap[0];
        if (!next || next.at > until || this.#stopped) {
          this.now = until;
          resolve();
          return;
        }
        pop(this.#heap);
        this.now = next.at;
        try {
          next.run?.();
        } catch (error) {
          reject(error);
          return;
        }
        settle();
      };
      settle();
    });
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(entry, heap[parent] as Entry)) break;
    heap[at] = heap[parent] as Entry;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop() as Entry;
  const { length } = heap;
  if (length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= length) break;
    if (child + 1 < length && before(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
    if (!before(heap[child] as Entry, last)) break;
    heap[at] = heap[child] as Entry;
    at = child;
  }
  heap[at] = last;
}

interface World {
  readonly time: VirtualTime;
  readonly random: Random;
}

/**
 * Puts virtual time and seeded randomness in the place of Node's own, for everything in this thread that follows: timers,
 * `performance.now`, `Math.random`, `randomUUID`. The last world that was entered is the one that is asked.
 */
export function enter(world: World): void {
  const { time, random } = world;
  const virtualTimeout = (run: (...args: unknown[]) => void, delay = 0, ...args: unknown[]) => {
    const cancel = time.schedule(delay, () => run(...args));
    const handle = { cancel, ref: () => handle, unref: () => handle, hasRef: () => true };
    return handle;
  };
  const cancelTimeout = (handle?: { cancel?: () => void }) => handle?.cancel?.();
  Object.assign(globalThis, { setTimeout: virtualTimeout, clearTimeout: cancelTimeout });
  Object.defineProperty(performance, 'now', { value: () => time.now, configurable: true, writable: true });
  Math.random = () => random.next();
  Object.assign(timers, { setTimeout: pauseIn(time) });
  Object.assign(crypto, { randomUUID: () => random.uuid() });
  syncBuiltinESMExports();
}

function pauseIn(time: VirtualTime) {
  return <T>(delay = 0, value?: T, { signal }: { signal?: AbortSignal } = {}): Promise<T | undefined> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const cancel = time.schedule(delay, () => {
        signal?.removeEventListener('abort', abort);
        resolve(value);
      });
      const abort = () => {
        cancel();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
}
