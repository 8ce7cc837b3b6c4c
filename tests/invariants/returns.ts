// I6 and I7 for goods that came back: each return of an order was booked once by inventory and paid back once by payment,
// in the units and amounts that the order says, and nothing else was.
import type { StoredEvent, StreamDocument } from '../../services/kit/events/document.ts';
import type { Violation } from './violation.ts';

/** What an order says of a return. Amounts in minor units. */
export interface OrderReturn {
  readonly returnId: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly condition: string }[];
  readonly amount: number;
}

/** The streams concerned: orders and payments by order id, bookings by return id. */
export interface Returns {
  readonly orders: ReadonlyMap<string, StreamDocument>;
  readonly payments: ReadonlyMap<string, StreamDocument>;
  readonly bookings: ReadonlyMap<string, StreamDocument>;
  /** Events of stock items, by key. */
  readonly items: ReadonlyMap<string, readonly StoredEvent[]>;
}

interface Booking {
  readonly shopId: string;
  readonly lines: readonly { readonly sku: string; readonly sellable: number; readonly damaged: number }[];
}

/** The returns in the state of an order. */
export function returnsOf(order: StreamDocument | undefined): readonly OrderReturn[] {
  return (order?.state as { returns?: readonly OrderReturn[] } | undefined)?.returns ?? [];
}

/** `itemKey` names the item of a sku at a shop. */
export function checkReturns(
  { orders, payments, bookings, items }: Returns,
  itemKey: (shopId: string, sku: string) => string,
): Violation[] {
  const found: Violation[] = [];
  const strange = new Set(bookings.keys());
  for (const [orderId, order] of orders) {
    const returns = returnsOf(order);
    const wrong = (subject: string, what: string) => found.push({ invariant: 'I6', orderId, subject, what });
    for (const each of returns) {
      strange.delete(each.returnId);
      const booked = wordsOf(bookings.get(each.returnId)?.state as Booking | undefined);
      const wanted = wordsOf({ shopId: '', lines: unitsOf(each) });
      if (booked !== wanted) wrong(`return:${each.returnId}`, `booked ${booked}, the order says ${wanted}`);
    }
    for (const what of moneyOf(returns, payments.get(orderId))) wrong(order.key, what);
    for (const what of excessOf(order, returns)) wrong(order.key, what);
  }
  for (const id of strange) found.push({ invariant: 'I7', subject: `return:${id}`, what: 'is a booking of no return' });
  return [...found, ...checkItems(bookings, items, itemKey)];
}

/** What payment gave back, beside what was asked for. */
function moneyOf(returns: readonly OrderReturn[], payment: StreamDocument | undefined): string[] {
  const { refunds = [], status } = (payment?.state ?? {}) as {
    status?: string;
    refunds?: readonly { readonly amount: number; readonly returnId?: string }[];
  };
  const given = new Map<string, number[]>();
  for (const { returnId, amount } of refunds) {
    if (returnId !== undefined) given.set(returnId, [...(given.get(returnId) ?? []), amount]);
  }
  const wrong = returns.flatMap(({ returnId, amount }) => {
    const amounts = given.get(returnId) ?? [];
    given.delete(returnId);
    const should = amount === 0 ? [] : [amount];
    if (amounts.join() === should.join()) return [];
    return [
      `return ${returnId}: ${amounts.join(' and ') || 'nothing'} went back of a ${status} payment, asked was ${amount}`,
    ];
  });
  return [...wrong, ...[...given.keys()].map((id) => `money went back for ${id}, which is no return of it`)];
}

/** No more comes back than was sold, for no more than was paid. */
function excessOf(order: StreamDocument, returns: readonly OrderReturn[]): string[] {
  if (returns.length === 0) return [];
  const { summary } = order.state as {
    summary: { net: number; lines: readonly { readonly sku: string; readonly quantity: number }[] };
  };
  const left = new Map<string, number>();
  for (const { sku, quantity } of summary.lines) left.set(sku, (left.get(sku) ?? 0) + quantity);
  for (const { sku, quantity } of returns.flatMap(({ lines }) => lines)) left.set(sku, (left.get(sku) ?? 0) - quantity);
  const paid = returns.reduce((sum, { amount }) => sum + amount, 0);
  const all = [...left.values()].every((units) => units === 0);
  return [
    ...[...left].flatMap(([sku, units]) => (units < 0 ? [`${-units} of ${sku} more came back than were sold`] : [])),
    ...(paid > summary.net || (all && paid !== summary.net) ? [`${paid} goes back of ${summary.net} paid`] : []),
  ];
}

/** I7: an item changed by exactly what was booked of it for each return. */
function checkItems(
  bookings: Returns['bookings'],
  items: Returns['items'],
  itemKey: (shopId: string, sku: string) => string,
): Violation[] {
  const changed = new Map<string, { returned: number; damaged: number }>();
  const add = (at: string, returned: number, damaged: number) => {
    const before = changed.get(at) ?? { returned: 0, damaged: 0 };
    changed.set(at, { returned: before.returned + returned, damaged: before.damaged + damaged });
  };
  for (const [item, events] of items) {
    for (const { type, data } of events) {
      const { cause, quantity } = data as { cause: string; quantity: number };
      if (type === 'item.returned') add(`${cause} ${item}`, quantity, 0);
      if (type === 'item.damaged') add(`${cause} ${item}`, 0, quantity);
    }
  }
  for (const [id, { state, progress }] of bookings) {
    if (progress !== undefined) continue;
    const { shopId, lines } = state as Booking;
    for (const { sku, sellable, damaged } of lines) add(`return:${id} ${itemKey(shopId, sku)}`, -sellable, -damaged);
  }
  return [...changed].flatMap(([at, { returned, damaged }]) => {
    if (returned === 0 && damaged === 0) return [];
    const [cause = '', item = ''] = at.split(' ');
    if (bookings.get(cause.slice('return:'.length))?.progress !== undefined) return [];
    const what = `changed by ${returned} sellable and ${damaged} damaged otherwise than ${cause} has booked`;
    return [{ invariant: 'I7' as const, subject: item, what }];
  });
}

function unitsOf({ lines }: OrderReturn): Booking['lines'] {
  const skus = [...new Set(lines.map(({ sku }) => sku))];
  const sum = (sku: string, condition: string) =>
    lines.reduce((all, line) => all + (line.sku === sku && line.condition === condition ? line.quantity : 0), 0);
  return skus.map((sku) => ({ sku, sellable: sum(sku, 'sellable'), damaged: sum(sku, 'damaged') }));
}

function wordsOf(booking: Booking | undefined): string {
  const lines = booking?.lines.map(({ sku, sellable, damaged }) => `${sku} ${sellable}+${damaged}`) ?? [];
  return lines.sort().join(', ') || 'nothing';
}
