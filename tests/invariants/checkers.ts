// All checkers over one reading, in two groups: what may never be seen, and what has to be gone once the system is at rest.

import { keyPart } from '../../services/kit/ids.ts';
import { checkBookings } from './bookings.ts';
import { checkDeadLetters } from './dead-letters.ts';
import { type Evidence, type ServiceEvidence, type Stream, streamsOfKind } from './evidence.ts';
import { checkFolds } from './folds.ts';
import { checkEntries, checkLedger, type Moved } from './ledger.ts';
import { checkMoney, type SoldOrder } from './money.ts';
import { checkNotifications, checkTold } from './notifications.ts';
import { checkReportView, expectedRows } from './report-views.ts';
import { checkReturns, returnsOf } from './returns.ts';
import { type AnsweredOrder, checkAnswers, checkCommands, checkSagas, statusOf } from './sagas.ts';
import { checkLines, checkReservations, checkStock } from './stock.ts';
import { checkStreams } from './streams.ts';
import { checkTransfers } from './transfers.ts';
import { checkEventLog, checkListView, checkSales, checkStockView, type OrderFigures } from './views.ts';
import type { Violation } from './violation.ts';

const itemKey = (shopId: string, sku: string) => `item:${keyPart(shopId)}:${keyPart(sku)}`;

/** I1, I3, I5, I10 and the folds of I8: true of every single document at every moment. */
export function atOnce({ services }: Evidence, answered: readonly AnsweredOrder[]): Violation[] {
  const { order, inventory, payment } = saga(services);
  return [
    ...[...services.values()].flatMap(({ streams, pages }) => checkStreams(documentsOf(streams), pages)),
    ...[...services.values()].flatMap(({ streams }) => checkFolds(streams)),
    ...checkStock(documentsOf(streamsOfKind(inventory, 'item'))),
    ...checkCommands(documentsOf(streamsOfKind(order, 'order'))),
    ...checkAnswers(byId(streamsOfKind(order, 'order')), answered).filter(({ invariant }) => invariant === 'I3'),
    ...checkLedger(payment.rows),
  ];
}

/** I2, I4, I6, I7, I8 and I9: true once nothing is under way any more. */
export function atRest(
  evidence: Evidence,
  answered: readonly AnsweredOrder[],
  poison: ReadonlySet<string>,
): Violation[] {
  const { services, book, stockRows, orderRows, paymentRows, productRows, recorded, sales, parked, deadLetters } =
    evidence;
  const { reportViews } = evidence;
  const { order, inventory, payment } = saga(services);
  const orders = streamsOfKind(order, 'order');
  const stock = streamsOfKind(inventory, 'item');
  const reservations = streamsOfKind(inventory, 'reservation');
  const events = new Map([...stock].map(([id, each]) => [`item:${id}`, each.events] as const));
  const published = [...services.values()].flatMap(({ streams }) =>
    [...streams].filter(([, { document }]) => document.topic !== undefined),
  );
  const expected = expectedRows(
    { order: order.streams, inventory: inventory.streams, payment: payment.streams },
    payment.rows,
  );
  return [
    ...[...reportViews].flatMap(([name, rows]) => checkReportView(name, rows, expected[name])),
    ...checkSagas({
      orders: byId(orders),
      reservations: byId(reservations),
      payments: byOrder(streamsOfKind(payment, 'payment')),
    }),
    ...checkAnswers(byId(orders), answered).filter(({ invariant }) => invariant === 'I2'),
    ...checkDeadLetters({ deadLetters, parked }, poison),
    ...checkMoney(new Map([...orders].map(([id, each]) => [id, soldOrder(id, each)])), book),
    ...checkEntries(
      payment.rows,
      [...streamsOfKind(payment, 'payment')].map(([id, each]) => movedBy(id, each)),
    ),
    ...checkReservations(
      [...events].map(([key, all]) => ({ key, events: all })),
      byKey(reservations, 'reservation'),
    ),
    ...checkReturns(
      {
        orders: byId(orders),
        payments: byOrder(streamsOfKind(payment, 'payment')),
        bookings: byId(streamsOfKind(inventory, 'return')),
        items: events,
      },
      itemKey,
    ),
    ...checkLines(events, documentsOf(reservations), itemKey),
    ...checkBookings(events, new Map([...inventory.streams].map(([key, { document }]) => [key, document])), itemKey),
    ...checkTransfers(byId(streamsOfKind(inventory, 'transfer')), byId(streamsOfKind(inventory, 'arrival'))),
    ...checkStockView(documentsOf(stock), stockRows),
    ...checkListView('order', byId(orders), orderRows),
    ...checkListView('payment', byId(streamsOfKind(payment, 'payment')), paymentRows),
    ...checkListView('product', bySku(streamsOfKind(service(services, 'product'), 'product')), productRows),
    ...checkSales(new Map([...orders].map(([id, each]) => [id, figuresOf(each)])), sales),
    ...checkEventLog(new Map(published.map(([key, each]) => [key, each.events])), recorded),
    ...checkNotifications(service(services, 'notification')),
    ...checkTold(service(services, 'notification'), orders),
  ];
}

/** What the money checker wants to know, from the first event of the order. */
function soldOrder(id: string, { document, events }: Stream): SoldOrder {
  const { net, currency, tender } = events[0]?.data as {
    net: number;
    currency: string;
    tender: { method: 'card' | 'cash' };
  };
  const returned = returnsOf(document).reduce((sum, { amount }) => sum + amount, 0);
  return { id, status: statusOf(document), net, currency, tender: tender.method, returned };
}

function movedBy(paymentId: string, { document }: Stream): Moved {
  const { captures, refunds } = document.state as {
    captures: { amount: number }[];
    refunds: { amount: number; returnId?: string }[];
  };
  const sum = (movements: readonly { amount: number }[]) => movements.reduce((total, { amount }) => total + amount, 0);
  const parts = refunds.filter(({ returnId }) => returnId !== undefined);
  const returned = new Map(parts.map(({ returnId = '', amount }) => [returnId, amount]));
  return { paymentId, captured: sum(captures), refunded: sum(refunds) - sum(parts), returned };
}

function figuresOf({ document, events }: Stream): OrderFigures {
  const { gross, discounts, net } = events[0]?.data as Omit<OrderFigures, 'status'>;
  return { status: statusOf(document), gross, discounts, net };
}

function saga(services: Evidence['services']) {
  return {
    order: service(services, 'order'),
    inventory: service(services, 'inventory'),
    payment: service(services, 'payment'),
  };
}

function service(services: Evidence['services'], appId: string): ServiceEvidence {
  const found = services.get(appId);
  if (!found) throw new Error(`there is no evidence of ${appId}`);
  return found;
}

function* documentsOf(streams: ReadonlyMap<string, Stream>) {
  for (const { document } of streams.values()) yield document;
}

function byId(streams: ReadonlyMap<string, Stream>) {
  return new Map([...streams].map(([id, { document }]) => [id, document]));
}

function byKey(streams: ReadonlyMap<string, Stream>, kind: string) {
  return new Map([...streams].map(([id, { document }]) => [`${kind}:${id}`, document]));
}

/** Payments by the order they pay. */
function byOrder(streams: ReadonlyMap<string, Stream>) {
  return new Map(
    [...streams].map(([id, { document, events }]) => [
      (events[0]?.data as { orderId?: string } | undefined)?.orderId ?? id,
      document,
    ]),
  );
}

function bySku(streams: ReadonlyMap<string, Stream>) {
  return new Map(
    [...streams].map(([id, { document }]) => [(document.state as { sku?: string } | null)?.sku ?? id, document]),
  );
}
