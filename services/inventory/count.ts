// A stocktake: of each line what was counted, what the record said, and the difference that was posted. Pure.
import { type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import { keyPart } from '#kit/ids';
import type { Basis } from './item.ts';
import type { StockLow } from './low-stock.ts';
import type { ChangedLine, Line } from './reservation.ts';

/** `quantity`: the units counted. */
export interface CountLine extends Line {
  /** The record as the counter saw it; without it the count is held against the record at its posting. */
  readonly basis?: Basis;
}

/** What a line came to: `quantity` is the posted difference, `unposted` what was left on record for orders. */
export interface Difference {
  readonly expected: number;
  readonly counted: number;
  readonly unposted: number;
}

interface Head {
  readonly countId: string;
  readonly shopId: string;
  readonly reference: string;
  readonly hash: string;
}

export type CountEvent =
  | EventOf<'count.opened', Head & { readonly lines: readonly CountLine[] }>
  | EventOf<'stock.counted', Head & { readonly lines: readonly (ChangedLine & Difference)[] }>
  | StockLow;

export interface CountState {
  readonly status: 'none' | 'opened' | 'booked';
  readonly shopId: string;
  readonly hash: string;
  readonly lines: readonly CountLine[];
  readonly differences: readonly CountedLine[];
}

export interface CountedLine {
  readonly sku: string;
  readonly expected: number;
  readonly counted: number;
  /** What was posted, signed. */
  readonly difference: number;
  readonly unposted: number;
}

export const counts: StreamKind<CountState, CountEvent> = {
  name: 'count',
  initial: { status: 'none', shopId: '', hash: '', lines: [], differences: [] },
  evolve(state, { type, data }) {
    const { shopId } = data;
    switch (type) {
      case 'count.opened':
        return { ...state, status: 'opened', shopId, hash: data.hash, lines: data.lines };
      case 'stock.counted':
        return { status: 'booked', shopId, hash: data.hash, lines: [], differences: data.lines.map(countedLine) };
      case 'stock.low':
        return state;
    }
  },
  retention: 'inline',
  topic: 'inventory',
  partitionKey: (_, { shopId }) => shopId,
};

function countedLine({ sku, expected, counted, quantity, unposted }: ChangedLine & Difference): CountedLine {
  return { sku, expected, counted, difference: quantity, unposted };
}

export function countOf(shopId: string, reference: string): StreamRef<CountState, CountEvent> {
  return streamOf(counts, `${keyPart(shopId)}:${keyPart(reference)}`);
}
