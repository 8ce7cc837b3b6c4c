// The order saga from outside: stock, money and deadline decide, and what was done is undone.
import { afterEach, beforeAll, expect, it } from '@jest/globals';
import { eventually, settles } from '../client/eventually.ts';
import type { Gateway } from '../client/gateway.ts';
import {
  followOrder,
  getOrder,
  getStock,
  isFinal,
  type Order,
  type OrderRequest,
  type Page,
  type PaymentView,
} from '../client/retail.ts';
import { expectProblem, expectStatus, expectStock } from './expectations.ts';
import { newGoods, newSku, posOrder, unique, webOrder } from './goods.ts';
import { SHOP, WEB, type World } from './world.ts';

const SLOW = { method: 'card', token: 'pm_card_visa_slow' } as const;
/** Earlier than any test: a sale that has already happened. */
const PAST = '2017-02-03T10:00:00Z';

export function sagaSuite(world: World): void {
  const post = (gateway: Gateway, body: OrderRequest, wait?: number) =>
    gateway.send<Order>('POST', '/api/v1/orders', {
      body,
      key: unique('order'),
      headers: wait === undefined ? {} : { prefer: `wait=${wait}` },
    });
  const place = async (gateway: Gateway, body: OrderRequest) => expectStatus(await post(gateway, body), 201).body;
  const cancel = (gateway: Gateway, id: string, key = unique('cancel')) =>
    gateway.send<Order>('POST', `/api/v1/orders/${id}/cancel`, { body: { reason: 'changed my mind' }, key });
  const paymentOf = async (orderId: string) =>
    (await world.admin.call<Page<PaymentView>>('GET', '/api/v1/payments', { query: { orderId } })).body.items[0];
  const intentOf = async (orderId: string) => (await world.provider.book({ orderId })).intents[0];

  let slowSku = '';
  let overdue: Order;
  /** The two slow cases run beside the others: only their own card is slow. */
  beforeAll(async () => {
    await world.provider.faults({ slowCardMs: (world.deadlineSeconds + 8) * 1000 });
    slowSku = await newSku(world.admin, { shopId: WEB, quantity: 10 });
    overdue = await place(world.customer, webOrder([slowSku], { payment: SLOW }));
  });
  afterEach(async () => {
    await world.provider.faults({ delayMs: 0, failNext: 0, dropNext: 0, down: false });
  });

  it('captures once what was agreed, and books it', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 1, price: 1_299 });
    const order = expectStatus(await post(world.customer, webOrder([sku]), 10), 201).body;
    expect(order).toMatchObject({ status: 'confirmed', payment: { status: 'captured' } });
    const intent = await intentOf(order.id);
    expect(intent).toMatchObject({ status: 'succeeded', amount: 1_299, currency: 'usd', refunded: 0 });
    expect(intent?.captures).toHaveLength(1);
    expect(await paymentOf(order.id)).toMatchObject({
      orderId: order.id,
      status: 'captured',
      amount: 1_299,
      currency: 'USD',
      captures: [{ amount: 1_299 }],
      refunds: [],
    });
    await expectStock(world.admin, WEB, sku, 0);
  });

  it.each([
    ['pm_card_visa_chargeDeclined'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds'],
  ])('cancels when %s is declined and gives the stock back', async (token) => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 1 });
    const order = expectStatus(
      await post(world.customer, webOrder([sku], { payment: { method: 'card', token } }), 10),
      201,
    ).body;
    expect(order).toMatchObject({ status: 'cancelled', cancellation: { code: 'PAYMENT_DECLINED' } });
    await expectStock(world.admin, WEB, sku, 1);
    expect(await paymentOf(order.id)).toMatchObject({ status: 'failed', captures: [], refunds: [] });
  });

  it('does not take declines for a fault of the provider: the next good card passes', async () => {
    const skus = await newGoods(world.admin, { shopId: WEB, count: 8, quantity: 1 });
    const declined = skus.map((sku) =>
      webOrder([sku], { payment: { method: 'card', token: 'pm_card_visa_chargeDeclined' } }),
    );
    const orders = await Promise.all(declined.map((order) => post(world.admin, order, 10)));
    expect(orders.map(({ body }) => body.cancellation?.code)).toEqual(Array(8).fill('PAYMENT_DECLINED'));
    expect(expectStatus(await post(world.customer, webOrder(skus.slice(0, 1)), 10), 201).body.status).toBe('confirmed');
  });

  it('tells a web customer at once that stock is missing', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 1 });
    const want = (quantity: number) => post(world.customer, webOrder([], { lines: [{ sku, quantity }] }), 10);
    expectProblem(await want(2), 409, 'STOCK_INSUFFICIENT');
    expect((await want(1)).body.status).toBe('confirmed');
    expectProblem(await want(1), 409, 'STOCK_INSUFFICIENT');
  });

  it('sells the last piece once, to whoever comes first', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 3 });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post(world.admin, webOrder([sku], { customerId: 'c' }), 10)),
    );
    const outcome = answers.map(({ status, body }) => (status === 201 ? body.status : status));
    expect(outcome.filter((what) => what === 'confirmed')).toHaveLength(3);
    expect(outcome.every((what) => what === 'confirmed' || what === 'cancelled' || what === 409)).toBe(true);
    await expectStock(world.admin, WEB, sku, 0);
  });

  it('cancels a till order for missing stock, and reserves nothing of it', async () => {
    const there = await newSku(world.admin, { shopId: SHOP, quantity: 5 });
    const missing = await newSku(world.admin, { shopId: SHOP, quantity: 0 });
    const order = expectStatus(await post(world.till(SHOP), posOrder(SHOP, [there, missing]), 10), 201).body;
    expect(order).toMatchObject({ status: 'cancelled', cancellation: { code: 'STOCK_INSUFFICIENT' } });
    await expectStock(world.admin, SHOP, there, 5);
    expect((await world.provider.book({ orderId: order.id })).intents).toEqual([]);
  });

  it.each([
    ['in cash', { payment: { method: 'cash' } as const }],
    ['by card earlier', { occurredAt: PAST }],
    ['by a machine', { channel: 'machine' as const, occurredAt: PAST }],
  ])('never refuses for stock what was sold %s: stock is found', async (_, changes) => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 1 });
    const order = posOrder(SHOP, [], { lines: [{ sku, quantity: 4, unitPrice: 100 }], ...changes });
    const seller = 'channel' in changes ? world.admin : world.till(SHOP);
    expect(expectStatus(await post(seller, order, 10), 201).body).toMatchObject({ status: 'confirmed', net: 400 });
    await expectStock(world.admin, SHOP, sku, 0);
  });

  it('takes cash without the provider, from tills only', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 2 });
    const order = expectStatus(
      await post(world.till(SHOP), posOrder(SHOP, [sku], { payment: { method: 'cash' } }), 10),
      201,
    ).body;
    expect(order.status).toBe('confirmed');
    expect((await world.provider.book({ orderId: order.id })).intents).toEqual([]);
    expect(await paymentOf(order.id)).toMatchObject({ status: 'captured', amount: 199 });
    expectProblem(await post(world.customer, webOrder([sku], { payment: { method: 'cash' } })), 400);
  });

  it('cancels a sale that has already happened when its card is declined', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 1 });
    const payment = { method: 'card', token: 'pm_card_visa_chargeDeclined' } as const;
    const order = expectStatus(
      await post(world.till(SHOP), posOrder(SHOP, [sku], { occurredAt: PAST, payment }), 10),
      201,
    ).body;
    expect(order).toMatchObject({ status: 'cancelled', cancellation: { code: 'PAYMENT_DECLINED' } });
    await expectStock(world.admin, SHOP, sku, 1);
  });

  it('gives money and stock back when a confirmed order is cancelled', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 2 });
    const order = expectStatus(await post(world.customer, webOrder([sku]), 10), 201).body;
    const key = unique('cancel');
    expectStatus(await cancel(world.customer, order.id, key), 202);
    const again = expectStatus(await cancel(world.customer, order.id, key), 202);
    expect(again.headers['idempotent-replayed']).toBe('true');
    const cancelled = await eventually(async () => {
      const { body } = await getOrder(world.customer, order.id);
      return body.status === 'cancelled' && body;
    });
    expect(cancelled.cancellation?.code).toBe('CUSTOMER_REQUEST');
    await settles(async () =>
      expect(await paymentOf(order.id)).toMatchObject({ status: 'refunded', refunds: [{ amount: 250 }] }),
    );
    expect(await intentOf(order.id)).toMatchObject({ amount: 250, refunded: 250 });
    await expectStock(world.admin, WEB, sku, 2);
  });

  it('gives the cash of a cancelled till order back in the books', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 1 });
    const order = expectStatus(
      await post(world.till(SHOP), posOrder(SHOP, [sku], { payment: { method: 'cash' } }), 10),
      201,
    ).body;
    expectStatus(await cancel(world.admin, order.id), 202);
    await settles(async () => expect(await paymentOf(order.id)).toMatchObject({ status: 'refunded' }));
    await expectStock(world.admin, SHOP, sku, 1);
  });

  it('refunds a capture that comes after the cancellation', async () => {
    await world.provider.faults({ delayMs: 1_500 });
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 1 });
    const order = await place(world.customer, webOrder([sku]));
    await eventually(async () => (await getStock(world.admin, WEB, sku)).reserved === 1);
    expectStatus(await cancel(world.customer, order.id), 202);
    expect(await followOrder(world.customer, order, 10)).toMatchObject({
      status: 'cancelled',
      cancellation: { code: 'CUSTOMER_REQUEST' },
    });
    await world.provider.faults({ delayMs: 0 });
    await settles(
      async () => {
        const payment = await paymentOf(order.id);
        expect(['voided', 'refunded', 'failed', 'cancelled']).toContain(payment?.status);
        const intent = await intentOf(order.id);
        const captured = (intent?.captures ?? []).reduce((sum, { amount }) => sum + amount, 0);
        expect(intent?.refunded ?? 0).toBe(captured);
      },
      { within: 15_000 },
    );
    await expectStock(world.admin, WEB, sku, 1);
  });

  it('cancels again without harm, and leaves what is already cancelled as it is', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 0 });
    const order = expectStatus(await post(world.till(SHOP), posOrder(SHOP, [sku]), 10), 201).body;
    expect(order.cancellation?.code).toBe('STOCK_INSUFFICIENT');
    expect([202, 409]).toContain((await cancel(world.admin, order.id)).status);
    expect((await getOrder(world.admin, order.id)).body.cancellation?.code).toBe('STOCK_INSUFFICIENT');
    expectProblem(await cancel(world.admin, unique('order')), 404);
    expectProblem(await cancel(world.till('shop-361'), order.id), [403, 404]);
  });

  it('waits for a slow provider and captures once', async () => {
    await world.provider.faults({ delayMs: 2_500 });
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 1 });
    const order = await place(world.customer, webOrder([sku]));
    expect((await followOrder(world.customer, order, 30)).status).toBe('confirmed');
    expect((await intentOf(order.id))?.captures).toHaveLength(1);
  });

  it('captures once although the provider lost its answers and failed now and then', async () => {
    await world.provider.faults({ failNext: 2, dropNext: 2 });
    const skus = await newGoods(world.admin, { shopId: WEB, count: 4, quantity: 1 });
    const orders = await Promise.all(skus.map((sku) => place(world.customer, webOrder([sku]))));
    for (const order of orders) {
      expect((await followOrder(world.customer, order, 30)).status).toBe('confirmed');
      expect(
        (await world.provider.book({ orderId: order.id })).intents.flatMap(({ captures }) => captures),
      ).toHaveLength(1);
    }
  });

  it.each([
    [true],
    ['refuse' as const],
  ])('lets orders wait while the provider is down (%s), and completes them when it is back', async (down) => {
    await world.provider.faults({ down });
    const skus = await newGoods(world.admin, { shopId: WEB, count: 8, quantity: 1 });
    const orders = await Promise.all(skus.map((sku) => place(world.customer, webOrder([sku]))));
    const waiting = await Promise.all(orders.map(async ({ id }) => (await getOrder(world.customer, id, 2)).body));
    expect(waiting.map(({ status }) => status)).toEqual(Array(8).fill('placed'));
    await world.provider.faults({ down: false });
    for (const order of orders) {
      expect((await followOrder(world.customer, order, 30)).status).toBe('confirmed');
      expect((await intentOf(order.id))?.captures).toHaveLength(1);
    }
  });

  it('cancels at the deadline what was never paid, and refunds a capture that comes later', async () => {
    const cancelled = await followOrder(world.customer, overdue, world.deadlineSeconds + 20);
    expect(cancelled).toMatchObject({ status: 'cancelled', cancellation: { code: 'DEADLINE' } });
    const after = Date.parse(overdue.placedAt) + world.deadlineSeconds * 1000;
    expect(Date.now()).toBeGreaterThanOrEqual(after);
    await expectStock(world.admin, WEB, slowSku, 10);
    await world.provider.faults({ slowCardMs: 0 });
    await settles(
      async () => {
        const intents = (await world.provider.book({ orderId: overdue.id })).intents;
        const captured = intents.flatMap(({ captures }) => captures).reduce((sum, { amount }) => sum + amount, 0);
        const refunded = intents.reduce((sum, intent) => sum + intent.refunded, 0);
        expect(refunded).toBe(captured);
        expect(['voided', 'refunded', 'failed', 'cancelled']).toContain((await paymentOf(overdue.id))?.status);
      },
      { within: 30_000 },
    );
    expect(isFinal((await getOrder(world.customer, overdue.id)).body)).toBe(true);
  });
}
