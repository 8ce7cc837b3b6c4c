// What order asks of inventory and payment before it accepts an order.

import type { Sidecar } from '#kit/dapr/sidecar';
import { Fault, type Refusal, refuse } from '#kit/errors';
import type { OrderSummary } from './order.ts';

const TIMEOUT = 3_000;

export interface Neighbours {
  /**
   * Hands the card token to payment and, for a web order, asks whether the stock is there: an early no, never a
   * promise. Refuses with STOCK_INSUFFICIENT. @throws {Fault} one of them gave no answer.
   */
  prepare(order: OrderSummary, token: string | undefined): Promise<Refusal | undefined>;
}

export function neighboursOf(sidecar: Sidecar): Neighbours {
  async function post(appId: string, path: string, body: unknown): Promise<Buffer> {
    const reply = await sidecar.invoke(appId, 'POST', path, { body, timeout: TIMEOUT });
    if (reply.status >= 300) throw new Fault(`${appId} answered ${reply.status} to ${path}`);
    return reply.body;
  }

  async function shortages({ shopId, lines }: OrderSummary): Promise<Refusal | undefined> {
    const body = { shopId, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) };
    const answer = JSON.parse((await post('inventory', '/internal/availability', body)).toString('utf8'));
    return answer.shortages.length > 0 ? refuse('STOCK_INSUFFICIENT', { shortages: answer.shortages }) : undefined;
  }

  return {
    async prepare(order, token) {
      // The token is kept by payment alone, never in an event. A total of zero is paid without the provider.
      const prepared =
        token === undefined || order.net === 0
          ? undefined
          : post('payment', '/internal/prepare', { orderId: order.orderId, token });
      const [short] = await Promise.all([order.channel === 'web' ? shortages(order) : undefined, prepared]);
      return short;
    },
  };
}
