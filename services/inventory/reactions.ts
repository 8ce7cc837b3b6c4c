// What orders and payments mean for stock.
import type { EventOf } from '#kit/events/aggregate';
import type { Desk } from '#kit/events/desk';
import type { Message } from '#kit/events/message';
import { GAP, type Reaction, type Reactions } from '#kit/events/reactor';
import { bookReturn } from './book-return.ts';
import { type ChunkOutcome, changeChunk, touchChunk } from './chunks.ts';
import { commit, release, reserve, uncommit } from './item.ts';
import { type Line, mergedBySku, type Reason, type ReservationEvent, reservationOf } from './reservation.ts';

/** The part of an order's events that matters here. */
interface OrderEvent {
  readonly orderId: string;
  readonly shopId: string;
  readonly customerId: string | null;
  readonly partition: string;
  readonly currency: string;
  readonly net: number;
  readonly tender: { readonly method: 'card' | 'cash' };
  readonly lines: readonly Line[];
}
type OrderPlaced = OrderEvent & { readonly terms: { readonly settled: boolean } };
type OrderCancelled = OrderEvent & { readonly cancellation: Reason };

/** `order.placed`: every line is reserved, or none. */
const reserveStock: Reaction<OrderPlaced> = {
  touch: ({ data }) => touchChunk(reservationOf(data.orderId), data.shopId, mergedBySku(data.lines)),
  decide(desk, { data }) {
    const { orderId, shopId, partition, terms, currency, tender, customerId, net } = data;
    const { settled } = terms;
    const cause = reservationOf(orderId);
    if (desk.state(cause).status !== 'none') return;
    const outcome = changeChunk(desk, {
      cause,
      step: 'reserve',
      shopId,
      lines: mergedBySku(data.lines),
      change: (item, line) => reserve(item, { ...line, settled }),
      undo: release,
    });
    const order = { orderId, shopId, partition };
    if (outcome.state === 'refused') {
      desk.append(cause, { type: 'stock.rejected', data: { ...order, shortages: outcome.shortages } });
    } else if (outcome.state === 'done') {
      const events: ReservationEvent[] = [];
      if (outcome.found.length > 0) events.push({ type: 'stock.found', data: { ...order, lines: outcome.found } });
      events.push({
        type: 'stock.reserved',
        data: { ...order, customerId, amount: net, currency, tender, settled, lines: outcome.changed },
      });
      desk.append(cause, ...events);
    }
    if (outcome.state !== 'under way' && outcome.low.length > 0) {
      desk.append(cause, { type: 'stock.low', data: { ...order, lines: outcome.low } });
    }
  },
};

/** `order.confirmed`: what is reserved is sold. */
const commitStock: Reaction<OrderEvent> = {
  touch: ({ data }) => touchChunk(reservationOf(data.orderId), data.shopId, mergedBySku(data.lines)),
  decide(desk, { data }) {
    const { status } = desk.state(reservationOf(data.orderId));
    if (status === 'none') return GAP;
    if (status !== 'reserved') return;
    const outcome = changeAll(desk, data, 'commit', commit);
    if (outcome.state === 'done') append(desk, data, { type: 'stock.committed', data: { lines: outcome.changed } });
  },
};

/** `order.cancelled`: gives back what is reserved or sold; recorded also when it is the first thing heard. */
const giveBack: Reaction<OrderCancelled> = {
  touch: ({ data }) => touchChunk(reservationOf(data.orderId), data.shopId, mergedBySku(data.lines)),
  decide(desk, { data }) {
    const cause = reservationOf(data.orderId);
    const reason = data.cancellation;
    switch (desk.state(cause).status) {
      case 'none':
        if (desk.progress(cause) !== undefined) return GAP; // a reservation in chunks is to be finished first
        append(desk, data, { type: 'reservation.closed', data: { reason } });
        return;
      case 'reserved':
        return undo(desk, data, 'stock.released', release, reason);
      case 'committed':
        return undo(desk, data, 'stock.uncommitted', uncommit, reason);
      default:
        return;
    }
  },
};

interface PaymentFailed {
  readonly orderId: string;
  readonly reason: Reason;
}

/** `payment.failed`: releases what is reserved, for the reason that the payment gives. */
const releaseUnpaid: Reaction<PaymentFailed> = {
  touch:
    ({ data }) =>
    (peek) => {
      const cause = reservationOf(data.orderId);
      const reservation = peek(cause)?.state;
      return reservation ? touchChunk(cause, reservation.shopId, reservation.lines)(peek) : [cause];
    },
  decide(desk, { data }: Message<PaymentFailed>) {
    const { status, shopId, partition, lines } = desk.state(reservationOf(data.orderId));
    if (status === 'none') throw new Error(`payment of ${data.orderId} failed, but nothing was reserved`);
    if (status !== 'reserved') return;
    const order = { orderId: data.orderId, shopId, partition, lines };
    undo(desk, order, 'stock.released', release, data.reason);
  },
};

type OfOrder = Pick<OrderEvent, 'orderId' | 'shopId' | 'partition' | 'lines'>;

function changeAll(desk: Desk, order: OfOrder, step: string, change: typeof commit): ChunkOutcome {
  const cause = reservationOf(order.orderId);
  return changeChunk(desk, { cause, step, shopId: order.shopId, lines: mergedBySku(order.lines), change });
}

function undo(
  desk: Desk,
  order: OfOrder,
  type: 'stock.released' | 'stock.uncommitted',
  change: typeof release,
  reason: Reason,
): undefined {
  const outcome = changeAll(desk, order, type, change);
  if (outcome.state === 'done') append(desk, order, { type, data: { lines: outcome.changed, reason } });
}

type Short<E> =
  E extends EventOf<infer T, infer D> ? { type: T; data: Omit<D, 'orderId' | 'shopId' | 'partition'> } : never;

function append(desk: Desk, { orderId, shopId, partition }: OfOrder, event: Short<ReservationEvent>): void {
  const full = { ...event, data: { orderId, shopId, partition, ...event.data } } as ReservationEvent;
  desk.append(reservationOf(orderId), full);
}

export const reactions: Readonly<Record<'orders' | 'payments', Reactions>> = {
  orders: {
    'order.placed': reserveStock,
    'order.confirmed': commitStock,
    'order.cancelled': giveBack,
    'order.returned': bookReturn,
  },
  payments: { 'payment.failed': releaseUnpaid },
};
