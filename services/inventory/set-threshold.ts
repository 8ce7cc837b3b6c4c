// Sets at how many available units a sku is low.
import { type Refusal, refuse } from '#kit/errors';
import type { Origin } from '#kit/events/aggregate';
import type { Streams } from '#kit/events/streams';
import { changedLine } from './chunks.ts';
import { becameLow, itemOf, watch } from './item.ts';
import { lowLine } from './low-stock.ts';
import { thresholdOf } from './threshold.ts';

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
