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

/** What an event about a part of the goods says of its order: all but the basket, which may have 500 lines. */
export type OrderHead = Omit<OrderSummary, 'lines' | 'gross' | 'discounts' | 'net' | 'tax' | 'settled' | 'deadlineAt'>;

/** Units of one sku. */
export interface Units {
  readonly sku: string;
  readonly quantity: number;
}

export type Condition = 'sellable' | 'damaged';

export interface ReturnedUnits extends Units {
  readonly condition: Condition;
  /** Minor units that are given back for them. */
  readonly amount: number;
  /** Those among them that had not been handed out, and now never are. */
  readonly unfulfilled: number;
}

/** Goods that were handed out together. */
export interface Fulfilment {
  readonly fulfilmentId: string;
  readonly lines: readonly Units[];
}

/** Goods that came back together. */
export interface Return {
  readonly returnId: string;
  readonly reason: string;
  readonly lines: readonly ReturnedUnits[];
  /** Minor units that are given back to the tender that paid. */
  readonly amount: number;
}

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
    >
  /** `whole`: nothing is left to be handed out. */
  | EventOf<'order.fulfilled', OrderHead & Fulfilment & { readonly whole: boolean }>
  | EventOf<'order.returned', OrderHead & Return & { readonly whole: boolean }>;

/** `none`: nothing is known of it yet. */
export type Order = { readonly status: 'none' } | PlacedOrder;

export interface PlacedOrder {
  readonly status: Status;
  readonly summary: OrderSummary;
  readonly payment: PaymentStatus;
  readonly cancellation?: Cancellation;
  /** The status that the cancellation ended. */
  readonly from?: 'placed' | 'confirmed';
  /** Oldest first; absent before the first. */
  readonly fulfilments?: readonly (Fulfilment & { readonly at: string })[];
  readonly returns?: readonly (Return & { readonly at: string })[];
}

function evolve(order: Order, event: OrderEvent, { at }: { readonly at: string }): Order {
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
    case 'order.fulfilled': {
      const { fulfilmentId, lines, whole } = event.data;
      const before = placedOf(order);
      const fulfilments = [...(before.fulfilments ?? []), { fulfilmentId, at, lines }];
      return { ...before, status: whole ? 'fulfilled' : before.status, fulfilments };
    }
    case 'order.returned': {
      const { returnId, reason, lines, amount, whole } = event.data;
      const before = placedOf(order);
      const returns = [...(before.returns ?? []), { returnId, at, reason, lines, amount }];
      // Who takes back the last piece that was not handed out has ended a fulfilment that had begun.
      return { ...before, status: whole && before.fulfilments ? 'fulfilled' : before.status, returns };
    }
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

/**
 * On request, as long as none of the goods have left or come back: from then on there are only returns. Refuses with
 * ORDER_FULFILLED, ORDER_RETURNED or ORDER_CANCELLED.
 */
export function cancel(order: Order, { reason }: { reason: string }): Decision<OrderEvent> {
  switch (order.status) {
    case 'placed':
    case 'confirmed':
      if (order.fulfilments) return refuse('ORDER_FULFILLED');
      if (order.returns) return refuse('ORDER_RETURNED');
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
