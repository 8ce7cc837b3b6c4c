// The money of one order: captured at most once, given back at most once, whole or a part for each return. Pure.
import { type Decision, type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import { idOf } from '#kit/ids';

export interface Reason {
  readonly code: string;
  readonly detail: string;
}

/** What is to be paid. `amount` in minor units of `currency`. */
export interface Due {
  readonly paymentId: string;
  readonly orderId: string;
  readonly shopId: string;
  readonly customerId: string | null;
  readonly partition: string;
  readonly amount: number;
  readonly currency: string;
  readonly method: 'card' | 'cash';
}

/** A line of the ledger. `amount` in minor units: positive is a debit, negative a credit. */
export interface LedgerLine {
  /** `card-clearing`, `cash:<shop>` or `sales:<shop>`. */
  readonly account: string;
  readonly amount: number;
}

/** What was booked with the event; absent from events of before it was told. */
export interface Booked {
  readonly ledger?: readonly LedgerLine[];
}

export type PaymentEvent =
  | EventOf<'payment.requested', Due>
  | EventOf<'payment.captured', Due & Booked & { readonly providerRef: string | null }>
  | EventOf<'payment.failed', Due & { readonly reason: Reason }>
  /** Cancelled before anything was captured: nothing ever will be. */
  | EventOf<'payment.voided', Omit<Due, 'method'> & { readonly reason: Reason }>
  /** Cancelled while the provider is being asked: what it captures is given back. */
  | EventOf<'payment.cancellation-noted', Due & { readonly reason: Reason }>
  | EventOf<'payment.refund-requested', Due & { readonly reason: Reason; readonly providerRef: string | null }>
  | EventOf<'payment.refunded', Due & Booked & { readonly refundRef: string | null }>
  /** Goods came back: their part is to be given back. */
  | EventOf<'payment.return-requested', Due & ReturnedPart & { readonly providerRef: string | null }>
  | EventOf<'payment.return-refunded', Due & Booked & ReturnedPart & { readonly refundRef: string | null }>;

/** A part of what was captured. */
export interface ReturnedPart {
  /** The order's own name for it: one refund for each, also the provider's key. */
  readonly returnId: string;
  /** Minor units that go back for this return. */
  readonly returnAmount: number;
  /** Minor units that all returns together ask for, and that have gone back for them, after the event. */
  readonly requestedAmount: number;
  readonly refundedAmount: number;
}

export type Status = 'capturing' | 'captured' | 'failed' | 'voided' | 'refunding' | 'refunded';

export interface Movement {
  readonly amount: number;
  readonly at: string;
  /** Of a refund: the return that it was made for. */
  readonly returnId?: string;
}

/** `none`: nothing is known of it yet. */
export type Payment = { readonly status: 'none' } | KnownPayment;

export interface KnownPayment {
  readonly status: Status;
  readonly due: Due;
  readonly cancelled?: Reason;
  readonly providerRef: string | null;
  readonly captures: readonly Movement[];
  readonly refunds: readonly Movement[];
  readonly reason?: Reason;
  /** Of a captured payment, oldest first; absent before the first. */
  readonly returns?: readonly Returned[];
}

/** What goes back for one return. `requestedAt`: ISO 8601; `refunded`: the provider, or the till, has given it back. */
export interface Returned {
  readonly returnId: string;
  readonly amount: number;
  readonly requestedAt: string;
  readonly refunded: boolean;
}

export const payments: StreamKind<Payment, PaymentEvent> = {
  name: 'payment',
  initial: { status: 'none' },
  evolve(before, event, { at }) {
    const payment = before.status === 'none' ? begun(event) : before;
    switch (event.type) {
      case 'payment.requested':
        return { ...payment, status: 'capturing' };
      case 'payment.captured': {
        const captures = [...payment.captures, { amount: event.data.amount, at }];
        return { ...payment, status: 'captured', providerRef: event.data.providerRef, captures };
      }
      case 'payment.failed':
        return { ...payment, status: 'failed', reason: event.data.reason };
      case 'payment.voided':
        return { ...payment, status: 'voided', cancelled: event.data.reason };
      case 'payment.cancellation-noted':
        return { ...payment, cancelled: event.data.reason };
      case 'payment.refund-requested':
        return { ...payment, status: 'refunding', cancelled: event.data.reason };
      case 'payment.refunded': {
        const refunds = [...payment.refunds, { amount: event.data.amount, at }];
        return { ...payment, status: 'refunded', refunds };
      }
      case 'payment.return-requested': {
        const { returnId, returnAmount: amount } = event.data;
        return { ...payment, returns: [...returnsOf(payment), { returnId, amount, requestedAt: at, refunded: false }] };
      }
      case 'payment.return-refunded': {
        const { returnId, returnAmount: amount } = event.data;
        const returns = returnsOf(payment).map((each) =>
          each.returnId === returnId ? { ...each, refunded: true } : each,
        );
        return { ...payment, refunds: [...payment.refunds, { amount, at, returnId }], returns };
      }
    }
  },
  retention: 'inline',
  topic: 'payments',
  partitionKey: (_, payment) => knownOf(payment).due.partition,
};

/** A payment as its first event shows it. */
function begun({ data }: PaymentEvent): KnownPayment {
  // Whoever voids a payment that nobody asked for does not know how it would have been paid.
  const method = 'method' in data ? data.method : 'card';
  const { paymentId, orderId, shopId, customerId, partition, amount, currency } = data;
  const due: Due = { paymentId, orderId, shopId, customerId, partition, amount, currency, method };
  return { status: 'capturing', due, providerRef: null, captures: [], refunds: [] };
}

/** The payment of a stream that has events. @throws {Error} it has none */
export function knownOf(payment: Payment): KnownPayment {
  if (payment.status === 'none') throw new Error('nothing is known of the payment');
  return payment;
}

/** One payment for each order: its id is made of the order's. */
export function paymentIdOf(orderId: string): string {
  return idOf('payment', orderId);
}

export function paymentOf(paymentId: string): StreamRef<Payment, PaymentEvent> {
  return streamOf(payments, paymentId);
}

/** The stock is there: cash and a total of zero are paid at once, a card is to be captured. Never after a cancellation. */
export function request(payment: Payment, due: Due): Decision<PaymentEvent> {
  if (payment.status !== 'none') return [];
  if (due.method === 'card' && due.amount > 0) return [{ type: 'payment.requested', data: due }];
  return [{ type: 'payment.captured', data: { ...due, providerRef: null } }];
}

/** The provider has the money. If the order was cancelled meanwhile, it goes back. */
export function capture(payment: Payment, { providerRef }: { providerRef: string }): Decision<PaymentEvent> {
  if (payment.status !== 'capturing') return [];
  const { due, cancelled } = payment;
  const captured: PaymentEvent = { type: 'payment.captured', data: { ...due, providerRef } };
  if (!cancelled) return [captured];
  return [captured, { type: 'payment.refund-requested', data: { ...due, reason: cancelled, providerRef } }];
}

/** The provider will not. */
export function decline(payment: Payment, reason: Reason): Decision<PaymentEvent> {
  return payment.status === 'capturing' ? [{ type: 'payment.failed', data: { ...payment.due, reason } }] : [];
}

/** The order is cancelled: recorded whatever was heard before, also nothing. */
export function cancel(
  payment: Payment,
  { due, reason }: { due: Omit<Due, 'method'>; reason: Reason },
): Decision<PaymentEvent> {
  switch (payment.status) {
    case 'none':
      return [{ type: 'payment.voided', data: { ...due, reason } }];
    case 'capturing':
      return payment.cancelled ? [] : [{ type: 'payment.cancellation-noted', data: { ...payment.due, reason } }];
    case 'captured':
      return giveBack(payment, reason);
    default:
      return [];
  }
}

function giveBack({ due, providerRef }: KnownPayment, reason: Reason): Decision<PaymentEvent> {
  const requested: PaymentEvent = { type: 'payment.refund-requested', data: { ...due, reason, providerRef } };
  // Cash is handed back at the till, and nothing is nothing.
  if (providerRef !== null) return [requested];
  return [requested, { type: 'payment.refunded', data: { ...due, refundRef: null } }];
}

/** The provider has given the money back. */
export function refund(payment: Payment, { refundRef }: { refundRef: string }): Decision<PaymentEvent> {
  return payment.status === 'refunding' ? [{ type: 'payment.refunded', data: { ...payment.due, refundRef } }] : [];
}

/** Goods of the order came back, and `amount` (minor units) is what was charged for them. */
export interface GoodsReturned {
  readonly returnId: string;
  readonly amount: number;
}

/**
 * Gives the part of a return back, once; nothing is nothing. @throws {Error} nothing was captured, or less than all
 * returns together ask for
 */
export function giveBackFor(payment: Payment, { returnId, amount }: GoodsReturned): Decision<PaymentEvent> {
  if (payment.status !== 'captured') throw new Error(`a return of a payment that is ${payment.status}`);
  const before = returnsOf(payment);
  if (amount === 0 || before.some((each) => each.returnId === returnId)) return [];
  const { due, providerRef } = payment;
  const { requestedAmount, refundedAmount } = sumsOf(payment);
  const asked = requestedAmount + amount;
  if (asked > due.amount) throw new Error(`returns of ${due.paymentId} ask for ${asked}, captured was ${due.amount}`);
  const part = { returnId, returnAmount: amount, requestedAmount: asked, refundedAmount };
  const requested: PaymentEvent = { type: 'payment.return-requested', data: { ...due, ...part, providerRef } };
  if (providerRef !== null) return [requested];
  // Cash is handed back at the till.
  const refunded = { ...part, refundedAmount: refundedAmount + amount };
  return [requested, { type: 'payment.return-refunded', data: { ...due, ...refunded, refundRef: null } }];
}

/** The provider has given the part of a return back. */
export function refundReturn(
  payment: Payment,
  { returnId, refundRef }: { returnId: string; refundRef: string },
): Decision<PaymentEvent> {
  if (payment.status !== 'captured') return [];
  const open = returnsOf(payment).find((each) => each.returnId === returnId && !each.refunded);
  if (!open) return [];
  const { requestedAmount, refundedAmount } = sumsOf(payment);
  const part = { returnId, returnAmount: open.amount, requestedAmount, refundedAmount: refundedAmount + open.amount };
  return [{ type: 'payment.return-refunded', data: { ...payment.due, ...part, refundRef } }];
}

/** The oldest return whose money is still to be given back. */
export function openReturn(payment: Payment): Returned | undefined {
  return payment.status === 'captured' ? returnsOf(payment).find(({ refunded }) => !refunded) : undefined;
}

function returnsOf({ returns = [] }: KnownPayment): readonly Returned[] {
  return returns;
}

function sumsOf(payment: KnownPayment): Pick<ReturnedPart, 'requestedAmount' | 'refundedAmount'> {
  const returns = returnsOf(payment);
  const sum = (some: readonly Returned[]) => some.reduce((total, { amount }) => total + amount, 0);
  return { requestedAmount: sum(returns), refundedAmount: sum(returns.filter(({ refunded }) => refunded)) };
}
