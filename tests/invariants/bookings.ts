// I7 for goods that come, go and are corrected: an item changed by exactly what was booked, and by nothing that was refused.
import type { StoredEvent, StreamDocument } from '../../services/kit/events/document.ts';
import type { Violation } from './violation.ts';

interface BookedLine {
  readonly sku: string;
  readonly quantity: number;
}
interface Booked {
  readonly shopId: string;
  readonly lines: readonly BookedLine[];
}

/** What is published of a booking, and the item's event that each of its lines stands for. */
const bookings: Readonly<Record<string, string>> = {
  'stock.received': 'item.received',
  'stock.adjusted': 'item.adjusted',
  'stock.written-off': 'item.written-off',
  'stock.counted': 'item.counted',
  'stock.dispatched': 'item.dispatched',
  'stock.arrived': 'item.arrived',
};
const changes = new Set(Object.values(bookings));

/**
 * Compares item changes with receipts' parts, sheets and both ends of transfers. A cause in the middle of its work
 * (`progress`) is left out. `itemKey` names the item of a sku at a shop.
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
      if (!changes.has(type)) continue;
      const { cause, quantity } = data as { cause: string; quantity: number };
      const at = `${cause} ${item} ${type}`;
      changed.set(at, (changed.get(at) ?? 0) + quantity);
    }
  }
  for (const [key, document] of causes) {
    if (document.progress !== undefined) continue;
    for (const { type, data } of document.events) {
      const change = bookings[type];
      if (change === undefined) continue;
      const { shopId, lines } = data as Booked;
      for (const { sku, quantity } of lines) {
        const at = `${key} ${itemKey(shopId, sku)} ${change}`;
        const really = changed.get(at) ?? 0;
        changed.delete(at);
        if (really !== quantity) {
          const what = `booked ${quantity} of ${sku}, but the item changed by ${really}`;
          found.push({ invariant: 'I7', subject: key, what });
        }
      }
    }
  }
  for (const [at, quantity] of changed) {
    const [cause = '', item = ''] = at.split(' ');
    if (quantity === 0 || causes.get(cause)?.progress !== undefined) continue;
    found.push({ invariant: 'I7', subject: item, what: `changed by ${quantity} for ${cause}, which did not book it` });
  }
  return found;
}
