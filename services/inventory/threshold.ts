// At how many available units a shop wants to know that a sku runs out: a record of its own, so that a sale does not make
// its version stale; the item keeps a copy to decide on. Pure.
import { type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import { itemOf } from './item.ts';
import type { StockLow } from './low-stock.ts';
import type { ChangedLine } from './reservation.ts';

export type ThresholdEvent =
  | EventOf<
      'stock.threshold-set',
      { readonly shopId: string; readonly lowStockAt: number | null; readonly lines: readonly ChangedLine[] }
    >
  | StockLow;

export interface Threshold {
  readonly shopId: string;
  /** Null: nobody watches. */
  readonly lowStockAt: number | null;
}

export const thresholds: StreamKind<Threshold, ThresholdEvent> = {
  name: 'threshold',
  initial: { shopId: '', lowStockAt: null },
  evolve(threshold, { type, data }) {
    if (type === 'stock.low') return threshold;
    return { shopId: data.shopId, lowStockAt: data.lowStockAt };
  },
  retention: 'paged',
  topic: 'inventory',
  partitionKey: (_, { shopId }) => shopId,
};

export function thresholdOf(shopId: string, sku: string): StreamRef<Threshold, ThresholdEvent> {
  return streamOf(thresholds, itemOf(shopId, sku).id);
}
