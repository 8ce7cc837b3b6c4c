// The order service on a bench, with the services that it asks, and what happens to its orders elsewhere.
import type { PricedProduct } from '#kit/clients/products';
import { type Bearer, type Bench, event, startBench } from '#kit/testing/bench';
import { orderService } from '../app.ts';
import { type OrderSummary, type Placement, summaryOf } from '../order.ts';
import type { OrderView } from '../schemas.ts';

export const customer: Bearer = { sub: 'c-1', perm: ['order:place'] };
export const till: Bearer = {
  sub: 'till-north',
  client_id: 'till-north',
  perm: ['order:sell', 'order:price', 'order:read'],
  shops: ['north'],
};

const tea = { sku: 'tea', quantity: 2 };
export const webOrder = {
  channel: 'web',
  shopId: 'web',
  lines: [tea],
  payment: { method: 'card', token: 'pm_card_visa' },
};
export const sale = {
  channel: 'pos',
  shopId: 'north',
  customerId: 'household-7',
  occurredAt: '2026-01-02T03:04:05.000Z',
  lines: [{ ...tea, unitPrice: 199, discounts: [{ kind: 'loyalty', amount: 15 }] }],
  payment: { method: 'cash' },
};

/** What the product service knows beside `p-<n>`, which cost a dollar. */
const products: Readonly<Record<string, Omit<PricedProduct, 'sku'>>> = {
  tea: { known: true, amount: 250, currency: 'USD', department: 'DRINKS' },
  air: { known: true, amount: 0, currency: 'USD' },
  wine: { known: true, amount: 900, currency: 'EUR' },
  sample: { known: true },
};

export interface OrderBench extends Bench {
  /** Time for the service; moves only by hand. */
  now: Date;
  /** What inventory answers to the early question. */
  shortages: readonly object[];
  /** Sends an order under a key, its own unless told. */
  post(body: object, bearer?: Bearer, key?: string): ReturnType<ReturnType<Bench['as']>['post']>;
  /** Places an order and waits until it is published: the answer itself waits for the broker 100 ms at most. */
  place(body?: object, bearer?: Bearer): Promise<OrderView>;
  /** What `order.placed` said of it. */
  summary(orderId: string): OrderSummary;
}

export async function startOrderBench(): Promise<OrderBench> {
  let keys = 0;
  const clock = () => bench.now;
  const settings = { deadlineSeconds: 900, returnWindowDays: 30 };
  const base = await startBench((parts) => orderService({ ...parts, clock, ...settings }), { name: 'order' });
  const bench: OrderBench = Object.assign(base, {
    now: new Date('2026-03-01T10:00:00.000Z'),
    shortages: [],
    post(body: object, bearer = customer, key = `key-${++keys}`) {
      return base.as(bearer).post('/api/v1/orders').set('idempotency-key', key).send(body);
    },
    async place(body: object = webOrder, bearer = customer) {
      const answer = await bench.post(body, bearer);
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
      const order = answer.body as OrderView;
      while (base.published(`order:${order.id}`).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return order;
    },
    summary: (orderId: string) => summaryOf(base.published(`order:${orderId}`)[0]?.data as Placement),
  });
  base.play('shop', (path) => {
    const id = path.split('/').at(-1);
    const kind = id === 'web' ? 'web' : 'store';
    return id === 'nowhere' ? 404 : { id, name: 'Shop', kind, currency: 'USD', timeZone: 'UTC' };
  });
  base.play('product', (_, { questions }: { questions: { skus: string[] }[] }) => ({
    answers: questions.map(({ skus }) => ({ prices: skus.map(priced) })),
  }));
  base.play('inventory', () => ({ shortages: bench.shortages }));
  base.play('payment', () => undefined);
  return bench;
}

function priced(sku: string): PricedProduct {
  if (/^p-\d+$/.test(sku)) return { sku, known: true, amount: 100, currency: 'USD' };
  return { sku, ...(products[sku] ?? { known: false }) };
}

/** Payment's word on an order. */
export function paid(type: 'payment.captured' | 'payment.refunded', order: OrderSummary, version: number) {
  const { orderId, shopId, customerId, partition, net: amount, currency, tender } = order;
  return event(type, `payment:pay-${orderId}`, version, {
    ...{ paymentId: `pay-${orderId}`, orderId, shopId, customerId, partition, amount, currency },
    ...{ method: tender.method, ...(type === 'payment.captured' ? { providerRef: 'pi_1' } : { refundRef: 're_1' }) },
  });
}

/** Inventory has not got everything. */
export function rejected({ orderId, shopId, partition }: OrderSummary) {
  const shortages = [{ sku: 'tea', wanted: 2, available: 1 }];
  return event('stock.rejected', `reservation:${orderId}`, 1, { orderId, shopId, partition, shortages });
}

/** Inventory has given back what the order held. */
export function released({ orderId, shopId, partition, lines }: OrderSummary) {
  const reason = { code: 'PAYMENT_DECLINED', detail: 'Your card was declined.' };
  const changed = lines.map(({ sku, quantity }) => {
    return { sku, quantity, itemVersion: 3, onHand: 9, reserved: 0, sold: 0 };
  });
  return event('stock.released', `reservation:${orderId}`, 2, { orderId, shopId, partition, lines: changed, reason });
}
