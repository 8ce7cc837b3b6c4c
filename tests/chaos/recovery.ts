// How long orders took to come to their end once the last fault was healed.
import type { History } from './coverage.ts';

/** Seconds from the healing to the end, of the orders that were open then. */
export interface Recovery {
  readonly orders: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Seconds that each order needed which was open when all was healed. */
export function secondsAfter(healedAt: number, histories: Iterable<History>): number[] {
  const seconds: number[] = [];
  for (const history of histories) {
    const placed = history.get('order.placed');
    const ends = ['order.confirmed', 'order.cancelled'].map((type) => history.get(type) ?? Number.POSITIVE_INFINITY);
    const end = Math.min(...ends);
    if (placed !== undefined && placed <= healedAt && end > healedAt && Number.isFinite(end))
      seconds.push((end - healedAt) / 1_000);
  }
  return seconds;
}

export function recoveryOf(seconds: readonly number[]): Recovery {
  const sorted = [...seconds].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { orders: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
