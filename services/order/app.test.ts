import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bearer, soon } from '#kit/testing/bench';
import { customer, type OrderBench, paid, sale, startOrderBench, till, webOrder } from './testing/order-bench.ts';

let bench: OrderBench;
beforeAll(async () => {
  bench = await startOrderBench();
});
afterEach(() => {
  bench.fake.intercept = undefined;
  bench.shortages = [];
});
afterAll(() => bench.close());

const ordersStored = () => bench.fake.keys('statestore-order').filter((key) => key.startsWith('order:')).length;
const lines = (count: number) => Array.from({ length: count }, (_, n) => ({ sku: `p-${n}`, quantity: 1 }));
/** The calls to a service that `work` leads to. */
async function askedOf(to: string, work: () => Promise<unknown>): Promise<unknown[]> {
  const before = bench.asked.length;
  await work();
  return bench.asked.slice(before).flatMap((asked) => (asked.to === to ? [asked.body] : []));
}

describe('POST /orders', () => {
  test('prices a web order and answers it', async () => {
    const answer = await bench.post(webOrder);
    const { id } = answer.body;
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({ location: `/api/v1/orders/${id}`, etag: '"1"' });
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
    const totals = { gross: 500, discounts: 0, net: 500, tax: 0 };
    expect(answer.body).toEqual({
      ...{ id, status: 'placed', channel: 'web', shopId: 'web', customerId: 'c-1', currency: 'USD', ...totals },
      lines: [{ sku: 'tea', quantity: 2, unitPrice: 250, discounts: [], total: 500 }],
      ...{ payment: { status: 'pending' }, occurredAt: null, placedAt: '2026-03-01T10:00:00.000Z', version: 1 },
    });
    expect(bench.published(`order:${id}`)).toMatchObject([
      {
        type: 'order.placed',
        partitionKey: expect.stringMatching(/^web\/[0-7]$/),
        data: { terms: { settled: false, deadlineAt: '2026-03-01T10:15:00.000Z' }, lines: [{ department: 'DRINKS' }] },
      },
    ]);
  });

  test('takes a sale that has happened as it was, asks nobody for stock and sets no deadline', async () => {
    bench.shortages = [{ sku: 'tea' }];
    const before = bench.asked.length;
    const { status, body } = await bench.post(sale, till);
    expect(status).toBe(201);
    expect(body).toMatchObject({ customerId: 'household-7', gross: 398, discounts: 15, net: 383 });
    expect(body.lines[0]).toEqual({ ...sale.lines[0], total: 383 });
    expect(body.occurredAt).toBe(sale.occurredAt);
    expect(bench.published(`order:${body.id}`)).toMatchObject([
      { partitionKey: 'north', data: { terms: { settled: true }, tender: { method: 'cash' } } },
    ]);
    expect(bench.asked.slice(before).map(({ to }) => to)).not.toContain('inventory');
    expect(bench.asked.slice(before).map(({ to }) => to)).not.toContain('payment');
  });

  test.each<[string, object, boolean]>([
    ['a machine', { channel: 'machine', payment: { method: 'card', token: 't' } }, true],
    ['a card at the till, later', { payment: { method: 'card', token: 't' } }, true],
    ['a card at the till, now', { payment: { method: 'card', token: 't' }, occurredAt: undefined }, false],
    ['cash at the till, now', { occurredAt: undefined }, true],
  ])('knows whether the sale has happened: %s', async (_, change, settled) => {
    const { id } = await bench.place({ ...sale, ...change }, till);
    expect(bench.summary(id)).toMatchObject({ settled, deadlineAt: settled ? null : '2026-03-01T10:15:00.000Z' });
  });

  const other = { sub: 'x' };
  const noPrice = { ...till, perm: ['order:sell'] };
  const webSeller = { ...till, shops: ['*'] };
  const line = { sku: 'tea', quantity: 1 };
  const pricey = { ...line, unitPrice: 2 ** 52, quantity: 1_000 };
  test.each<[string, Bearer | undefined, object, number, string]>([
    ['nobody', undefined, webOrder, 401, 'UNAUTHENTICATED'],
    ['somebody without a role', other, webOrder, 403, 'FORBIDDEN'],
    ['a customer at a till', customer, { ...sale, lines: [line] }, 403, 'FORBIDDEN'],
    ['a customer for another', customer, { ...webOrder, customerId: 'c-2' }, 403, 'FORBIDDEN'],
    ['a customer’s own price', customer, { ...webOrder, lines: [{ ...line, unitPrice: 1 }] }, 403, 'FORBIDDEN'],
    ['a customer’s own discount', customer, { ...webOrder, lines: sale.lines }, 403, 'FORBIDDEN'],
    ['a till’s price on the web', webSeller, { ...webOrder, lines: [{ ...line, unitPrice: 1 }] }, 403, 'FORBIDDEN'],
    ['a till in another shop', till, { ...sale, shopId: 'south' }, 403, 'FORBIDDEN'],
    ['a seller who may not price', noPrice, sale, 403, 'FORBIDDEN'],
    ['no line', customer, { ...webOrder, lines: [] }, 400, 'VALIDATION_FAILED'],
    ['501 lines', customer, { ...webOrder, lines: lines(501) }, 400, 'TOO_MANY_LINES'],
    ['an unknown field', customer, { ...webOrder, note: '' }, 400, 'VALIDATION_FAILED'],
    ['cash on the web', customer, { ...webOrder, payment: { method: 'cash' } }, 400, 'TENDER_NOT_ALLOWED'],
    ['a past web order', customer, { ...webOrder, occurredAt: sale.occurredAt }, 400, 'VALIDATION_FAILED'],
    ['a sale in six minutes', till, { ...sale, occurredAt: '2026-03-01T10:06:00Z' }, 400, 'OCCURRED_IN_FUTURE'],
    ['a coupon', customer, { ...webOrder, coupons: ['TEN'] }, 422, 'COUPON_UNKNOWN'],
    ['no such shop', { ...till, shops: ['*'] }, { ...sale, shopId: 'nowhere' }, 422, 'SHOP_UNKNOWN'],
    ['no such product', customer, { ...webOrder, lines: [{ sku: 'gold', quantity: 1 }] }, 422, 'PRODUCT_UNKNOWN'],
    ['no price here', customer, { ...webOrder, lines: [{ sku: 'sample', quantity: 1 }] }, 422, 'PRICE_UNKNOWN'],
    ['another currency', customer, { ...webOrder, lines: [{ sku: 'wine', quantity: 1 }] }, 422, 'CURRENCY_MISMATCH'],
    ['too much off', till, { ...sale, lines: [{ ...sale.lines[0], unitPrice: 7 }] }, 400, 'LINE_TOTAL_NEGATIVE'],
    ['too much money', till, { ...sale, lines: [pricey] }, 400, 'AMOUNT_TOO_LARGE'],
  ])('refuses %s, and keeps nothing of it', async (_, bearer, body, status, code) => {
    const [published, stored] = [bench.fake.published.length, ordersStored()];
    const prepared = await askedOf('payment', async () => {
      const sent = bench.as(bearer).post('/api/v1/orders').set('idempotency-key', `refused ${code}`).send(body);
      expect((await sent).body).toMatchObject({ status, code });
    });
    expect([bench.fake.published.length, ordersStored(), prepared]).toEqual([published, stored, []]);
  });

  test('needs a key', async () => {
    const answer = await bench.as(customer).post('/api/v1/orders').send(webOrder);
    expect(answer.body).toMatchObject({ status: 400, code: 'IDEMPOTENCY_KEY_MISSING' });
  });

  test('takes a sale up to five minutes ahead of the clock', async () => {
    expect((await bench.post({ ...sale, occurredAt: '2026-03-01T10:05:00Z' }, till)).status).toBe(201);
  });

  test('refuses a web order early when the stock is not there, and takes it later under the same key', async () => {
    const stored = ordersStored();
    bench.shortages = [{ sku: 'tea', wanted: 2, available: 1 }];
    const questions = await askedOf('inventory', async () => {
      const short = await bench.post(webOrder, customer, 'short');
      expect(short.body).toMatchObject({ status: 409, code: 'STOCK_INSUFFICIENT', shortages: bench.shortages });
    });
    expect(questions).toEqual([{ shopId: 'web', lines: [{ sku: 'tea', quantity: 2 }] }]);
    expect(ordersStored()).toBe(stored);
    bench.shortages = [];
    expect((await bench.post(webOrder, customer, 'short')).status).toBe(201);
  });

  test('takes 500 lines and asks for all their prices in one call', async () => {
    const questions = await askedOf('product', async () => {
      const { status, body } = await bench.post({ ...webOrder, lines: lines(500) });
      expect(status).toBe(201);
      expect(body).toMatchObject({ gross: 50_000, net: 50_000 });
    });
    expect(questions).toEqual([{ questions: [{ shopId: 'web', skus: lines(500).map(({ sku }) => sku) }] }]);
  });

  test('hands the card to payment alone', async () => {
    const token = 'pm_card_only_payment_knows';
    let id = '';
    const prepared = await askedOf('payment', async () => {
      ({ id } = await bench.place({ ...webOrder, payment: { method: 'card', token } }));
    });
    expect(prepared).toEqual([{ cards: [{ orderId: id, token }] }]);
    const kept = bench.fake.keys('statestore-order').map((key) => bench.fake.peek('statestore-order', key));
    expect(bench.summary(id).orderId).toBe(id);
    expect(JSON.stringify([kept, bench.fake.published])).not.toContain(token);
  });

  test('bothers nobody with the card of an order that costs nothing', async () => {
    const free = { ...webOrder, lines: [{ sku: 'air', quantity: 1 }] };
    expect(await askedOf('payment', () => bench.place(free))).toEqual([]);
  });

  test.each([
    'payment',
    'inventory',
    'product',
  ])('is 503 while %s is away, and done when it is repeated', async (to) => {
    const stored = ordersStored();
    const player = bench.fake.apps.get(to);
    bench.fake.apps.delete(to);
    const answer = await bench.post(webOrder, customer, `without ${to}`);
    bench.fake.apps.set(to, player as never);
    expect(answer.body).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(answer.headers['retry-after']).toBe('1');
    expect(ordersStored()).toBe(stored);
    const again = await bench.post(webOrder, customer, `without ${to}`);
    expect(again.status).toBe(201);
    expect(again.headers['idempotent-replayed']).toBeUndefined();
  });

  test('answers a repeat as it was, asking nobody, and refuses another payload under its key', async () => {
    const first = await bench.post(webOrder, customer, 'again');
    await bench.deliver('payments', paid('payment.captured', bench.summary(first.body.id), 2));
    const before = bench.asked.length;
    const again = await bench.post(webOrder, customer, 'again');
    expect(again.status).toBe(201);
    expect(again.headers).toMatchObject({ 'idempotent-replayed': 'true', etag: '"1"' });
    expect(again.body).toEqual(first.body);
    expect(bench.asked.length).toBe(before);
    const changed = await bench.post({ ...webOrder, lines: lines(1) }, customer, 'again');
    expect(changed.body).toMatchObject({ status: 422, code: 'IDEMPOTENCY_KEY_REUSED' });
    expect((await bench.post(webOrder, { ...customer, sub: 'c-2' }, 'again')).body.id).not.toBe(first.body.id);
  });

  test('makes one order of the same request sent many times at once', async () => {
    const stored = ordersStored();
    const answers = await Promise.all(Array.from({ length: 5 }, () => bench.post(webOrder, customer, 'at once')));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(201));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect(ordersStored()).toBe(stored + 1);
  });

  test('is still one order when the answer of the store got lost', async () => {
    bench.fake.intercept = async (method, path, body) => {
      if (!path.endsWith('/transaction')) return undefined;
      bench.fake.intercept = undefined;
      await fetch(`http://127.0.0.1:${bench.fake.port}${path}`, { method, body });
      return 'break';
    };
    const { status, body } = await bench.post(webOrder);
    expect(status).toBe(201);
    expect(bench.document(`order:${body.id}`)?.version).toBe(1);
    await soon(() => bench.published(`order:${body.id}`).length === 1);
  });

  test('answers a repeat that waits what is stored, also when another replica has changed it since', async () => {
    const { id } = (await bench.post(webOrder, customer, 'elsewhere')).body;
    await soon(() => bench.published(`order:${id}`).length === 1);
    await bench.deliver('payments', paid('payment.captured', bench.summary(id), 2));
    const stored = bench.document(`order:${id}`) as object;
    await bench.fake.client.save('statestore-order', `order:${id}`, { ...stored, version: 3 }, 'any');
    const again = await bench.post(webOrder, customer, 'elsewhere').set('prefer', 'wait=5');
    expect(again).toMatchObject({ headers: { etag: '"3"' }, body: { id, version: 3 } });
  });

  test('waits for the final order, if the client wants', async () => {
    const published = bench.fake.published.length;
    const answer = bench.post(webOrder).set('prefer', 'wait=10').then();
    await soon(() => bench.fake.published.length > published);
    const { data } = (bench.fake.published.at(-1)?.event ?? {}) as { data: { payload: never } };
    await bench.deliver('payments', paid('payment.captured', data.payload, 2));
    expect(await answer).toMatchObject({
      status: 201,
      headers: { etag: '"2"' },
      body: { status: 'confirmed', payment: { status: 'captured' }, version: 2 },
    });
  });
});
