// I1 and I7 for stock: what each item says about itself, and that every change has exactly one cause that wanted it.
import type { Item } from '../../services/inventory/item.ts';
import type { StoredEvent, StreamDocument } from '../../services/kit/events/document.ts';
import type { Violation } from './violation.ts';

/** I1 on one reading of every item: no moment may show anything else. */
export function checkStock(items: Iterable<StreamDocument>): Violation[] {
  const found: Violation[] = [];
  for (const { key, state } of items) {
    const { onHand, reserved, sold, received, found: turnedUp, adjusted } = state as Item;
    const { transferredIn = 0, transferredOut = 0, writtenOff = 0, counted = 0 } = state as Item;
    const wrong = (what: string) => found.push({ invariant: 'I1', subject: key, what });
    const moved = [transferredIn, transferredOut, writtenOff, counted];
    const all = [onHand, reserved, sold, received, turnedUp, adjusted, ...moved];
    if (!all.every(Number.isSafeInteger)) wrong(`is not in whole units: ${all.join(' ')}`);
    if (reserved < 0 || reserved > onHand) wrong(`has ${reserved} reserved of ${onHand}`);
    const [came, went] = [received + turnedUp + adjusted + counted + transferredIn, transferredOut + writtenOff];
    if (onHand + sold !== came - went) {
      wrong(
        `on hand ${onHand} + sold ${sold} is not received ${received} + found ${turnedUp} + adjusted ${adjusted} + counted ${counted} ` +
          `+ transferred in ${transferredIn} - out ${transferredOut} - written off ${writtenOff}`,
      );
    }
    if (moved.slice(0, 3).some((units) => units < 0)) wrong(`has moved ${moved.slice(0, 3).join(' ')}`);
  }
  return found;
}

/** Changes of an item that one reservation must have caused in the end, by the reservation's status. */
const DONE: Readonly<Record<string, readonly string[]>> = {
  none: [],
  closed: [],
  reserved: ['item.reserved'],
  released: ['item.reserved', 'item.released'],
  committed: ['item.reserved', 'item.committed'],
  uncommitted: ['item.reserved', 'item.committed', 'item.uncommitted'],
};

/**
 * I7: for each reservation and sku the item's changes are those that the reservation's status asks for, each once and
 * in the quantity of the line. A rejected basket of many chunks may have reserved and released again, nothing else.
 */
export function checkReservations(
  items: Iterable<{ readonly key: string; readonly events: readonly StoredEvent[] }>,
  reservations: ReadonlyMap<string, StreamDocument>,
): Violation[] {
  const found: Violation[] = [];
  for (const { key, events } of items) {
    for (const [cause, changes] of Map.groupBy(events, ({ data }) => (data as { cause: string }).cause)) {
      if (!cause.startsWith('reservation:')) continue;
      const orderId = cause.slice('reservation:'.length);
      const wrong = (what: string) => found.push({ invariant: 'I7', orderId, subject: key, what });
      const document = reservations.get(cause);
      const { status = 'none', lines = [] } = (document?.state ?? {}) as {
        status?: string;
        lines?: { sku: string; quantity: number }[];
      };
      const types = changes.map(({ type }) => type).filter((type) => type !== 'item.found');
      const asked =
        status === 'rejected' ? (types.length === 0 ? [] : ['item.reserved', 'item.released']) : (DONE[status] ?? []);
      if (document?.progress === undefined && types.join() !== asked.join())
        wrong(`reservation is ${status}, but the item has ${types.join(', ') || 'nothing'}`);
      const quantities = new Set(
        changes.filter(({ type }) => type !== 'item.found').map(({ data }) => (data as { quantity: number }).quantity),
      );
      if (quantities.size > 1) wrong(`was changed by ${[...quantities].join(' and ')} for one line`);
      const [quantity] = quantities;
      if (lines.length > 0 && !lines.some((line) => line.quantity === quantity))
        wrong(`was changed by ${quantity}, which no line asks for`);
    }
  }
  return found;
}

/** I7 from the other side: every line of a reservation has changed its item. `itemKey` names the item of a sku at a shop. */
export function checkLines(
  items: ReadonlyMap<string, readonly StoredEvent[]>,
  reservations: Iterable<StreamDocument>,
  itemKey: (shopId: string, sku: string) => string,
): Violation[] {
  const found: Violation[] = [];
  for (const { key, state } of reservations) {
    const { status, shopId, lines } = state as {
      status: string;
      shopId: string;
      lines: { sku: string; quantity: number }[];
    };
    const asked = DONE[status] ?? [];
    for (const { sku } of asked.length > 0 ? lines : []) {
      const changes = (items.get(itemKey(shopId, sku)) ?? []).filter(
        ({ data }) => (data as { cause: string }).cause === key,
      );
      if (!changes.some(({ type }) => type === asked.at(-1))) {
        found.push({
          invariant: 'I7',
          orderId: key.slice('reservation:'.length),
          subject: `${shopId}/${sku}`,
          what: `reservation is ${status}, but the item has no ${asked.at(-1)}`,
        });
      }
    }
  }
  return found;
}
