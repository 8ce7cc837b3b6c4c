// Double entry: every movement of money is an insert-only document whose lines sum to zero. Pure.
import type { Due, LedgerLine, PaymentEvent } from './payment.ts';

export interface LedgerEntry {
  readonly paymentId: string;
  readonly orderId: string;
  /** `return:<id>`: what goes back for one return. */
  readonly kind: 'capture' | 'refund' | `return:${string}`;
  readonly currency: string;
  readonly at: string;
  readonly lines: readonly LedgerLine[];
}

/** The entries that the events bring, by key. A movement of nothing has none. */
export function entriesOf(events: readonly PaymentEvent[], at: string): { key: string; entry: LedgerEntry }[] {
  return events.flatMap(({ type, data }) => {
    if (type === 'payment.return-refunded') return [entry(`return:${data.returnId}`, data, -data.returnAmount, at)];
    if (data.amount === 0) return [];
    if (type === 'payment.captured') return [entry('capture', data, data.amount, at)];
    if (type === 'payment.refunded') return [entry('refund', data, -data.amount, at)];
    return [];
  });
}

const BOOKED: ReadonlySet<PaymentEvent['type']> = new Set([
  'payment.captured',
  'payment.refunded',
  'payment.return-refunded',
]);

/** The events with the lines that they book, for whoever keeps balances. */
export function withLedger(events: readonly PaymentEvent[]): PaymentEvent[] {
  return events.map((event) => {
    if (!BOOKED.has(event.type)) return event;
    const ledger = entriesOf([event], '').flatMap(({ entry: { lines } }) => lines);
    return { ...event, data: { ...event.data, ledger } } as PaymentEvent;
  });
}

function entry(kind: LedgerEntry['kind'], due: Due, amount: number, at: string): { key: string; entry: LedgerEntry } {
  const { paymentId, orderId, shopId, currency, method } = due;
  const money = method === 'cash' ? `cash:${shopId}` : 'card-clearing';
  const lines = [
    { account: money, amount },
    { account: `sales:${shopId}`, amount: -amount },
  ];
  return { key: `ledger:${paymentId}:${kind}`, entry: { paymentId, orderId, kind, currency, at, lines } };
}
