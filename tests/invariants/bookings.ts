// I7 for goods that come in and for corrections: an item changed by exactly what was booked, and by nothing that was refused.
import type { StoredEvent, StreamDocument } from '../../services/kit/events/document.ts';
import type { Violation } from './violation.ts';

interface BookedLine {
  readonly sku: string;
  readonly quantity: number;
}

/** The last word of each cause: lines with quantities when booked, none otherwise. */
function bookedLines({ events }: StreamDocument): readonly BookedLine[] {
  const booked = events.findLast(({ type }) => type === 'stock.received' || type === 'stock.adjusted');
  return (booked?.data as { lines: readonly BookedLine[] } | undefined)?.lines ?? [];
}

/**
 * Compares item changes with receipts' parts and adjustments. A cause in the middle of its work (`progress`) is left out.
 * `itemKey` names the item of a sku at a shop.
 */
export function checkBookings(
  items: ReadonlyMap<string, readonly StoredEvent[]>,
  causes: ReadonlyMap<string, StreamDocument>,
  itemKey: (shopId: string, sku: string) => string,
): Violation[] {
  const found: Violation[] = [];
  const changed = new Map<string, number>();
  for (const [item, events] of items) {
    for (const { type, data } of events) {
      if (type !== 'item.received' && type !== 'item.adjusted') continue;
      const { cause, quantity } = data as { cause: string; quantity: number };
      const at = `${cause} ${item}`;
      changed.set(at, (changed.get(at) ?? 0) + quantity);
    }
  }
  for (const [key, document] of causes) {
    if (!/^(receipt-part|adjustment):/.test(key) || document.progress !== undefined) continue;
    const { shopId } = document.state as { shopId: string };
    for (const { sku, quantity } of bookedLines(document)) {
      const at = `${key} ${itemKey(shopId, sku)}`;
      const really = changed.get(at) ?? 0;
      changed.delete(at);
      if (really !== quantity)
        found.push({
          invariant: 'I7',
          subject: key,
          what: `booked ${quantity} of ${sku}, but the item changed by ${really}`,
        });
    }
  }
  for (const [at, quantity] of changed) {
    const [cause = '', item = ''] = at.split(' ');
    if (quantity === 0 || causes.get(cause)?.progress !== undefined) continue;
    found.push({ invariant: 'I7', subject: item, what: `changed by ${quantity} for ${cause}, which did not book it` });
  }
  return found;
}
