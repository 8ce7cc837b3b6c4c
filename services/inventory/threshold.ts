// At how many available units a shop wants to know that a sku runs out: a record of its own, so that a sale does not make
// its version stale; the item keeps a copy to decide on.
import { type Refusal, refuse } from '#kit/errors';
import { type EventOf, type Origin, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import type { Streams } from '#kit/events/streams';
import { changedLine } from './chunks.ts';
import { becameLow, itemOf, watch } from './item.ts';
import { lowLine, type StockLow } from './low-stock.ts';
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

export interface ThresholdChange {
  readonly shopId: string;
  readonly sku: string;
  readonly lowStockAt: number | null;
  /** The version that the client holds; 0: there was none. */
  readonly held: number;
}

/**
 * Sets or (null) lifts the threshold; what is low already is told at once. Refuses with PRECONDITION_FAILED.
 * @throws {Fault} repeat it.
 */
export function setThreshold(
  streams: Streams,
  { shopId, sku, lowStockAt, held }: ThresholdChange,
  origin: Origin,
): Promise<{ readonly version: number } | Refusal> {
  const [threshold, item] = [thresholdOf(shopId, sku), itemOf(shopId, sku)];
  return streams.execute({
    touch: [threshold, item],
    origin,
    decide(desk) {
      const version = desk.version(threshold);
      // Our own earlier try must not look like someone else's write.
      if (desk.wrote(threshold) !== undefined) return { version };
      if (version !== held) return refuse('PRECONDITION_FAILED', { current: version });
      const before = desk.state(item);
      desk.apply(item, watch, { lowStockAt, cause: threshold.key });
      if (desk.state(item) === before) return { version };
      const lines = [changedLine(desk, shopId, { sku, quantity: 0 })];
      desk.append(threshold, { type: 'stock.threshold-set', data: { shopId, lowStockAt, lines } });
      const after = desk.state(item);
      if (becameLow(before, after)) {
        desk.append(threshold, { type: 'stock.low', data: { shopId, lines: [lowLine(sku, after)] } });
      }
      return { version: desk.version(threshold) };
    },
  });
}
