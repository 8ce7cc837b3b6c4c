// Stock that fell to the level at which somebody wants to know: told with the event of whatever took it.
import type { EventOf } from '#kit/events/aggregate';
import { available, type Item } from './item.ts';

/** Units right after the change that made the stock low. */
export interface LowLine {
  readonly sku: string;
  readonly available: number;
  readonly lowStockAt: number;
}

export type StockLow = EventOf<'stock.low', { readonly shopId: string; readonly lines: readonly LowLine[] }>;

export function lowLine(sku: string, item: Item): LowLine {
  return { sku, available: available(item), lowStockAt: item.lowStockAt ?? 0 };
}
