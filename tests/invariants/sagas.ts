// I2, I3 and I6: every saga has come to its end, and the three services agree on which end it was.
import type { StreamDocument } from '../../services/kit/events/document.ts';
import type { Violation } from './violation.ts';

/** What the other two services may say when an order has ended so. */
const ENDS: Readonly<Record<string, { readonly reservation: readonly string[]; readonly payment: readonly string[] }>> =
  {
    confirmed: { reservation: ['committed'], payment: ['captured'] },
    fulfilled: { reservation: ['committed'], payment: ['captured'] },
    cancelled: {
      reservation: ['rejected', 'released', 'uncommitted', 'closed'],
      payment: ['none', 'failed', 'voided', 'refunded', 'closed', 'cancelled'],
    },
  };

/** The streams of the saga, by order id. */
export interface Sagas {
  readonly orders: ReadonlyMap<string, StreamDocument>;
  readonly reservations: ReadonlyMap<string, StreamDocument>;
  readonly payments: ReadonlyMap<string, StreamDocument>;
}

/** I6 (and I2's second half): nothing under way, nothing contradicting. */
export function checkSagas({ orders, reservations, payments }: Sagas): Violation[] {
  const found: Violation[] = [];
  for (const [orderId, order] of orders) {
    const status = statusOf(order);
    const wrong = (what: string) => found.push({ invariant: 'I6', orderId, subject: order.key, what });
    const end = ENDS[status];
    if (!end) {
      found.push({ invariant: 'I2', orderId, subject: order.key, what: `is still ${status}` });
      continue;
    }
    const reservation = statusOf(reservations.get(orderId));
    const payment = statusOf(payments.get(orderId));
    if (!end.reservation.includes(reservation)) wrong(`is ${status}, its reservation ${reservation}`);
    if (!end.payment.includes(payment)) wrong(`is ${status}, its payment ${payment}`);
    const told = (order.state as { payment?: string }).payment;
    if (payment === 'refunded' && told !== 'refunded') wrong(`was refunded, but says that its payment is ${told}`);
  }
  for (const [name, streams] of Object.entries({ reservation: reservations, payment: payments })) {
    for (const [orderId, { key }] of streams) {
      if (!orders.has(orderId))
        found.push({ invariant: 'I6', orderId, subject: key, what: `is the ${name} of an order that does not exist` });
    }
  }
  for (const document of [...orders.values(), ...reservations.values(), ...payments.values()]) {
    if (document.progress !== undefined)
      found.push({ invariant: 'I6', subject: document.key, what: 'stopped half-way through its chunks' });
  }
  return found;
}

/** An order that some client was answered 2xx for. */
export interface AnsweredOrder {
  readonly key: string;
  readonly orderId: string;
}

/** I2 (first half) and I3: what clients were told is there, and each key led to one order. */
export function checkAnswers(
  orders: ReadonlyMap<string, StreamDocument>,
  answered: readonly AnsweredOrder[],
): Violation[] {
  const found: Violation[] = [];
  for (const { orderId } of answered) {
    if (!orders.has(orderId))
      found.push({
        invariant: 'I2',
        orderId,
        subject: `order:${orderId}`,
        what: 'was answered 2xx and does not exist',
      });
  }
  for (const [key, of] of Map.groupBy(answered, (each) => each.key)) {
    const ids = [...new Set(of.map(({ orderId }) => orderId))];
    if (ids.length > 1)
      found.push({ invariant: 'I3', subject: key, what: `one key led to the orders ${ids.join(' and ')}` });
  }
  return found;
}

/** I3 inside: no two orders remember the same command. */
export function checkCommands(orders: Iterable<StreamDocument>): Violation[] {
  const found: Violation[] = [];
  const seen = new Map<string, string>();
  for (const { key, commands } of orders) {
    for (const { id } of commands) {
      const other = seen.get(id);
      if (other !== undefined)
        found.push({ invariant: 'I3', subject: key, what: `remembers a command that ${other} remembers too` });
      seen.set(id, key);
    }
  }
  return found;
}

/** The status in a stream's state; `none` when there is no stream. */
export function statusOf(document: StreamDocument | undefined): string {
  return String((document?.state as { status?: unknown } | undefined)?.status ?? 'none');
}
