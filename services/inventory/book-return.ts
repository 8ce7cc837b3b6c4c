// What a return of an order means for stock: sellable goods are on hand again, damaged ones are recorded.
import { GAP, type Reaction } from '#kit/events/reactor';
import { changeChunk, touchChunk } from './chunks.ts';
import { takeBack } from './item.ts';
import { type Line, reservationOf } from './reservation.ts';
import { type ReturnedUnits, returnOf } from './return.ts';

/** The part of `order.returned` that matters here: a sku may stand in it once for each condition. */
interface OrderReturned {
  readonly returnId: string;
  readonly orderId: string;
  readonly shopId: string;
  readonly partition: string;
  readonly lines: readonly (Line & { readonly condition: 'sellable' | 'damaged' })[];
}

/** `order.returned`: books the goods once, in the transaction of the return's own document. */
export const bookReturn: Reaction<OrderReturned> = {
  touch: ({ data }) => {
    const chunk = touchChunk(returnOf(data.returnId), data.shopId, linesOf(unitsBySku(data.lines).values()));
    return (peek) => [...chunk(peek), reservationOf(data.orderId)];
  },
  decide(desk, { data }) {
    const { returnId, orderId, shopId, partition } = data;
    const cause = returnOf(returnId);
    if (desk.state(cause).status === 'booked') return;
    // Only what was sold comes back: the confirmation was overtaken, or is still being booked.
    if (desk.state(reservationOf(orderId)).status !== 'committed') return GAP;
    const units = unitsBySku(data.lines);
    const outcome = changeChunk(desk, {
      cause,
      step: 'return',
      shopId,
      lines: linesOf(units.values()),
      change: (item, { sku, cause: key }) => takeBack(item, { ...unitsOf(units, sku), cause: key }),
    });
    if (outcome.state !== 'done') return;
    const lines = outcome.changed.map((line) => {
      const { sellable, damaged } = unitsOf(units, line.sku);
      return { ...line, quantity: sellable, damaged };
    });
    desk.append(cause, { type: 'stock.returned', data: { returnId, orderId, shopId, partition, lines } });
    return;
  },
};

function unitsBySku(lines: OrderReturned['lines']): Map<string, ReturnedUnits> {
  const units = new Map<string, ReturnedUnits>();
  for (const { sku, quantity, condition } of lines) {
    const before = units.get(sku) ?? { sku, sellable: 0, damaged: 0 };
    units.set(sku, { ...before, [condition]: before[condition] + quantity });
  }
  return units;
}

function unitsOf(units: ReadonlyMap<string, ReturnedUnits>, sku: string): ReturnedUnits {
  return units.get(sku) ?? { sku, sellable: 0, damaged: 0 };
}

function linesOf(units: Iterable<ReturnedUnits>): Line[] {
  return [...units].map(({ sku, sellable, damaged }) => ({ sku, quantity: sellable + damaged }));
}
