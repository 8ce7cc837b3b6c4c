// An order of any channel: placed, then confirmed or cancelled. Pure.
import { type Decision, type EventOf, refuse, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';

export type Channel = 'web' | 'pos' | 'machine';
export type Status = 'placed' | 'confirmed' | 'fulfilled' | 'cancelled';
export type PaymentStatus = 'pending' | 'captured' | 'failed' | 'cancelled' | 'refunding' | 'refunded';

export interface Discount {
  readonly kind: 'loyalty' | 'storeCoupon' | 'manual';
  /** Minor units. */
  readonly amount: number;
}

/** Amounts in minor units of the order's currency; `total` = unitPrice x quantity - discounts. */
export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly discounts: readonly Discount[];
  readonly total: number;
  readonly department: string | null;
}

export interface Cancellation {
  readonly code: string;
  readonly detail: string;
}

/** What every deciding event carries, so that most who hear one need no other. */
export interface OrderSummary {
  readonly orderId: string;
  readonly channel: Channel;
  readonly shopId: string;
  readonly customerId: string | null;
  /** Partition of everything about this order: the shop, or for a web shop the shop and one of 8 buckets. */
  readonly partition: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly occurredAt: string | null;
  readonly placedAt: string;
  readonly tender: { readonly method: 'card' | 'cash' };
  readonly lines: readonly OrderLine[];
  readonly gross: number;
  readonly discounts: number;
  /** What is charged, tax included. */
  readonly net: number;
  readonly tax: number;
  /** The sale has already happened: never refused for stock, no deadline. */
  readonly settled: boolean;
  readonly deadlineAt: string | null;
}

/** What `order.placed` says: a sale that has already happened, or one that is to be decided by the deadline. */
export type Placement = Omit<OrderSummary, 'settled' | 'deadlineAt'> & {
  readonly terms: { readonly settled: true } | { readonly settled: false; readonly deadlineAt: string };
};

export type OrderEvent =
  | EventOf<'order.placed', Placement>
  | EventOf<'order.confirmed', OrderSummary & { readonly paymentId: string }>
  | EventOf<
      'order.cancelled',
      OrderSummary & { readonly cancellation: Cancellation; readonly from: 'placed' | 'confirmed' }
    >
  | EventOf<
      'order.refunded',
      OrderSummary & {
        readonly cancellation: Cancellation;
        readonly from: 'placed' | 'confirmed';
        readonly amount: number;
      }
    >;

/** `none`: nothing is known of it yet. */
export type Order = { readonly status: 'none' } | PlacedOrder;

export interface PlacedOrder {
  readonly status: Status;
  readonly summary: OrderSummary;
  readonly payment: PaymentStatus;
  readonly cancellation?: Cancellation;
  /** The status that the cancellation ended. */
  readonly from?: 'placed' | 'confirmed';
}

function evolve(order: Order, event: OrderEvent): Order {
  switch (event.type) {
    case 'order.placed':
      return { status: 'placed', summary: summaryOf(event.data), payment: 'pending' };
    case 'order.confirmed':
      return { ...placedOf(order), status: 'confirmed', payment: 'captured' };
    case 'order.cancelled': {
      const { cancellation, from } = event.data;
      const payment = paymentAfter(from, cancellation.code);
      return { ...placedOf(order), status: 'cancelled', cancellation, from, payment };
    }
    case 'order.refunded':
      return { ...placedOf(order), payment: 'refunded' };
  }
}

/** The summary that later events carry. */
export function summaryOf({ terms, ...order }: Placement): OrderSummary {
  return { ...order, settled: terms.settled, deadlineAt: terms.settled ? null : terms.deadlineAt };
}

/** @throws {Error} nothing settles the order, and nothing ends it */
export function placementOf({ settled, deadlineAt, ...order }: OrderSummary): Placement {
  if (settled) return { ...order, terms: { settled } };
  if (deadlineAt === null) throw new Error(`order ${order.orderId} has no deadline`);
  return { ...order, terms: { settled, deadlineAt } };
}

function paymentAfter(from: 'placed' | 'confirmed', code: string): PaymentStatus {
  if (from === 'confirmed') return 'refunding';
  return code === 'PAYMENT_DECLINED' ? 'failed' : 'cancelled';
}

export const orders: StreamKind<Order, OrderEvent> = {
  name: 'order',
  initial: { status: 'none' },
  evolve,
  retention: 'inline',
  topic: 'orders',
  partitionKey: (_, order) => placedOf(order).summary.partition,
};

export function orderOf(orderId: string): StreamRef<Order, OrderEvent> {
  return streamOf(orders, orderId);
}

/** The order of a stream that has events: being placed is the first. @throws {Error} it has none */
export function placedOf(order: Order): PlacedOrder {
  if (order.status === 'none') throw new Error('the order was never placed');
  return order;
}

/** Final for whoever waits: only returns and refunds follow. */
export function isFinal(order: Order): boolean {
  return order.status !== 'placed';
}

export function place(_: Order, summary: OrderSummary): Decision<OrderEvent> {
  return [{ type: 'order.placed', data: placementOf(summary) }];
}

/** The money is there. Too late if the order was cancelled meanwhile: payment hears of that and gives it back. */
export function confirm(order: Order, { paymentId }: { paymentId: string }): Decision<OrderEvent> {
  return order.status === 'placed' ? [{ type: 'order.confirmed', data: { ...order.summary, paymentId } }] : [];
}

/** Stock or money said no. */
export function fail(order: Order, cancellation: Cancellation): Decision<OrderEvent> {
  return order.status === 'placed' ? [cancelled(order, 'placed', cancellation)] : [];
}

/** The only deadline of the saga: nothing has decided the order in time. `now` is ISO 8601. */
export function expire(order: Order, { now }: { now: string }): Decision<OrderEvent> {
  const due = order.status === 'placed' && order.summary.deadlineAt !== null && order.summary.deadlineAt <= now;
  return due ? [cancelled(order, 'placed', { code: 'DEADLINE', detail: 'The order was not decided in time' })] : [];
}

/** On request, as long as the goods have not left. Refuses with ORDER_FULFILLED or ORDER_CANCELLED. */
export function cancel(order: Order, { reason }: { reason: string }): Decision<OrderEvent> {
  switch (order.status) {
    case 'placed':
    case 'confirmed':
      return [cancelled(order, order.status, { code: 'CUSTOMER_REQUEST', detail: reason })];
    case 'fulfilled':
      return refuse('ORDER_FULFILLED');
    case 'cancelled':
      return refuse('ORDER_CANCELLED');
    case 'none':
      return refuse('NOT_FOUND');
  }
}

/** The money of a cancelled order has been given back. */
export function noteRefund(order: Order, { amount }: { amount: number }): Decision<OrderEvent> {
  if (order.status !== 'cancelled' || !order.cancellation || order.payment === 'refunded') return [];
  const { summary, cancellation } = order;
  return [{ type: 'order.refunded', data: { ...summary, cancellation, from: order.from ?? 'placed', amount } }];
}

function cancelled(order: PlacedOrder, from: 'placed' | 'confirmed', cancellation: Cancellation): OrderEvent {
  return { type: 'order.cancelled', data: { ...order.summary, cancellation, from } };
}
