// What order asks of inventory and payment before it accepts an order.
import { ask } from '#kit/dapr/ask';
import type { Sidecar } from '#kit/dapr/sidecar';
import { type Refusal, refuse } from '#kit/errors';
import { Together } from '#kit/together';
import type { OrderSummary } from './order.ts';

/** Milliseconds. */
const TIMEOUT = 3_000;

interface Card {
  readonly orderId: string;
  readonly token: string;
}

export interface Neighbours {
  /**
   * Hands the card token to payment and, for a web order, asks whether the stock is there: an early no, never a
   * promise. Refuses with STOCK_INSUFFICIENT. @throws {Fault} one of them gave no answer.
   */
  prepare(order: OrderSummary, token: string | undefined): Promise<Refusal | undefined>;
}

export function neighboursOf(sidecar: Sidecar): Neighbours {
  async function checkStock({ shopId, lines }: OrderSummary): Promise<Refusal | undefined> {
    const body = { shopId, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) };
    const question = {
      to: 'inventory',
      method: 'POST',
      path: '/internal/availability',
      body,
      timeout: TIMEOUT,
    } as const;
    const { shortages } = await ask<{ shortages: unknown[] }>(sidecar, question);
    return shortages.length > 0 ? refuse('STOCK_INSUFFICIENT', { shortages }) : undefined;
  }

  /** Cards that come close together go in one call. */
  const kept = new Together<Card, void>(async (cards) => {
    const body = { cards };
    await ask(sidecar, { to: 'payment', method: 'POST', path: '/internal/prepare', body, timeout: TIMEOUT });
    return cards.map(() => Promise.resolve());
  });

  return {
    async prepare(order, token) {
      // The token is kept by payment alone, never in an event. A total of zero is paid without the provider.
      const card = token === undefined || order.net === 0 ? undefined : kept.add({ orderId: order.orderId, token });
      const [short] = await Promise.all([order.channel === 'web' ? checkStock(order) : undefined, card]);
      return short;
    },
  };
}
