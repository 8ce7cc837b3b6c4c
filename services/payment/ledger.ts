// Double entry: every movement of money is an insert-only document whose lines sum to zero. Pure.
import type { Due, LedgerLine, PaymentEvent } from './payment.ts';

export interface LedgerEntry {
  readonly paymentId: string;
  readonly orderId: string;
  readonly kind: 'capture' | 'refund';
  readonly currency: string;
  readonly at: string;
  readonly lines: readonly LedgerLine[];
}

/** The entries that the events bring, by key. A movement of nothing has none. */
export function entriesOf(events: readonly PaymentEvent[], at: string): { key: string; entry: LedgerEntry }[] {
  return events.flatMap(({ type, data }) => {
    if (data.amount === 0) return [];
    if (type === 'payment.captured') return [entry('capture', data, data.amount, at)];
    if (type === 'payment.refunded') return [entry('refund', data, -data.amount, at)];
    return [];
  });
}

/** The events with the lines that they book, for whoever keeps balances. */
export function withLedger(events: readonly PaymentEvent[]): PaymentEvent[] {
  return events.map((event) => {
    if (event.type !== 'payment.captured' && event.type !== 'payment.refunded') return event;
    const ledger = entriesOf([event], '').flatMap(({ entry: { lines } }) => lines);
    return { ...event, data: { ...event.data, ledger } } as PaymentEvent;
  });
}

function entry(kind: 'capture' | 'refund', due: Due, amount: number, at: string): { key: string; entry: LedgerEntry } {
  const { paymentId, orderId, shopId, currency, method } = due;
  const money = method === 'cash' ? `cash:${shopId}` : 'card-clearing';
  const lines = [
    { account: money, amount },
    { account: `sales:${shopId}`, amount: -amount },
  ];
  return { key: `ledger:${paymentId}:${kind}`, entry: { paymentId, orderId, kind, currency, at, lines } };
}
