// How long orders took to come to their end once faults were healed.
import type { History } from './coverage.ts';

/** Seconds from the healing to the end, of the orders that were open then. */
export interface Recovery {
  readonly orders: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** From a healing to the next blow, in milliseconds since 1970; without end after the last one. */
export interface Calm {
  readonly from: number;
  readonly to: number;
}

/** Longer than any order takes: a later end was written by a clock that was wrong. */
const LONGEST_SECONDS = 300;

/**
 * Seconds from the healing to the end, of each order that was open then. Who is open still when the next blow falls is
 * counted from the healing of that one.
 */
export function secondsAfter(calms: readonly Calm[], histories: Iterable<History>): number[] {
  const seconds: number[] = [];
  for (const history of histories) {
    const placed = history.get('order.placed');
    const ends = ['order.confirmed', 'order.cancelled'].map((type) => history.get(type) ?? Number.POSITIVE_INFINITY);
    const end = Math.min(...ends);
    const calm = calms.find(({ from, to }) => from < end && end <= to);
    if (!calm || placed === undefined || placed > calm.from) continue;
    const took = (end - calm.from) / 1_000;
    if (took < LONGEST_SECONDS) seconds.push(took);
  }
  return seconds;
}

export function recoveryOf(seconds: readonly number[]): Recovery {
  const sorted = [...seconds].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { orders: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
