// I4: our orders beside the provider's own book. The book is the provider's word: what it captured was taken from a card.
import type { BookSummary } from '../simulators/card-provider/control-client.ts';
import type { Violation } from './violation.ts';

/** What has to be known of an order. */
export interface SoldOrder {
  readonly id: string;
  readonly status: string;
  readonly net: number;
  readonly currency: string;
  readonly tender: 'card' | 'cash';
  /** Minor units that goods which came back were charged for. */
  readonly returned?: number;
}

/** Compares every order with the intents of the book that name it. */
export function checkMoney(
  orders: ReadonlyMap<string, SoldOrder>,
  { intents }: Pick<BookSummary, 'intents'>,
): Violation[] {
  const found: Violation[] = [];
  const byOrder = Map.groupBy(intents, ({ orderId }) => orderId ?? '');
  for (const orderId of byOrder.keys()) {
    if (!orders.has(orderId))
      found.push({
        invariant: 'I4',
        orderId,
        subject: byOrder.get(orderId)?.[0]?.id ?? '',
        what: 'the provider has an intent of no order',
      });
  }
  for (const order of orders.values()) {
    const own = byOrder.get(order.id) ?? [];
    const captures = own.flatMap((intent) => intent.captures);
    const captured = captures.reduce((sum, { amount }) => sum + amount, 0);
    const refunded = own.reduce((sum, intent) => sum + intent.refunded, 0);
    const wrong = (what: string) =>
      found.push({ invariant: 'I4', orderId: order.id, subject: own.map(({ id }) => id).join(' '), what });
    if (captures.length > 1) wrong(`was captured ${captures.length} times`);
    if (own.some(({ currency }) => currency.toUpperCase() !== order.currency))
      wrong(`is in ${order.currency}, the provider has another currency`);
    const charged = order.tender === 'card' ? order.net : 0;
    if (order.status === 'confirmed' || order.status === 'fulfilled') {
      if (captured !== charged) wrong(`is ${order.status} over ${charged}, captured was ${captured}`);
      const returned = order.tender === 'card' ? (order.returned ?? 0) : 0;
      if (refunded !== returned) wrong(`is ${order.status} with returns over ${returned}, refunded was ${refunded}`);
    }
    if (order.status === 'cancelled' && refunded !== captured)
      wrong(`is cancelled: captured ${captured}, refunded ${refunded}`);
  }
  return found;
}
