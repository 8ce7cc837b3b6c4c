// Waiting for a condition instead of sleeping for luck.
import { setTimeout as pause } from 'node:timers/promises';

export interface Patience {
  /** Milliseconds until the wait is given up; 10,000 unless told. */
  readonly within?: number;
  /** Milliseconds between two looks, after quicker first ones; 200 unless told. */
  readonly every?: number;
  /** What is waited for, for the error. */
  readonly what?: string;
}

/** The condition did not come true in time. `cause` is the last error of the probe, if it threw. */
export class NeverHappened extends Error {
  override readonly name = 'NeverHappened';
}

/**
 * Calls `probe` until it answers something other than `undefined` or `false`, and answers that.
 * A probe that throws counts as "not yet": the last error is the `cause` if time runs out.
 * @throws {NeverHappened}
 */
export async function eventually<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  patience: Patience = {},
): Promise<T> {
  const { within = 10_000, every = 200, what = 'a condition' } = patience;
  const deadline = Date.now() + within;
  let step = Math.min(20, every);
  for (;;) {
    let cause: unknown;
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      cause = error;
    }
    if (Date.now() + step > deadline) {
      const why = cause instanceof Error ? `: ${cause.message}` : '';
      throw new NeverHappened(`${what} did not come true within ${within} ms${why}`, { cause });
    }
    await pause(step);
    step = Math.min(step * 2, every);
  }
}

/** Runs `probe` until its assertions pass (it throws while they do not). */
export async function settles(probe: () => Promise<void> | void, patience: Patience = {}): Promise<void> {
  await eventually(async () => {
    await probe();
    return true;
  }, patience);
}
