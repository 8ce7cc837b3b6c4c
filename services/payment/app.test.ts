import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bearer, soon } from '#kit/testing/bench';
import {
  type Answer,
  captured,
  declined,
  type PaymentBench,
  type PaymentOfOrder,
  startPaymentBench,
} from './testing/payment-bench.ts';

let bench: PaymentBench;
let defaults: PaymentBench['provider'];
beforeAll(async () => {
  bench = await startPaymentBench();
  defaults = { ...bench.provider };
});
afterEach(() => {
  Object.assign(bench.provider, defaults);
  bench.fake.intercept = undefined;
});
afterAll(() => bench.close());

/** Waits until the last thing that happened is this. */
const until = ({ happened }: PaymentOfOrder, type: string) => soon(() => happened().at(-1) === type);
/** Webhooks come again and again: one that finds the last try still at work is not heard. */
async function knockUntil(order: PaymentOfOrder, type: string): Promise<void> {
  const end = performance.now() + 5_000;
  while (order.happened().at(-1) !== type && performance.now() < end) {
    expect(await bench.deliver('provider-events', ...twice(order.webhook))).toEqual(both);
  }
  expect(order.happened().at(-1)).toBe(type);
}
const twice = <T>(each: T): [T, T] => [each, each];
const both = ['SUCCESS', 'SUCCESS'];
const owner: Bearer = { sub: 'c-1', perm: ['order:place'] };
const get = (path: string, bearer: Bearer = owner) => bench.as(bearer).get(`/api/v1/payments${path}`);
const shown = async ({ paymentId }: PaymentOfOrder) => (await get(`/${paymentId}`)).body;
/** A call of the provider that the test answers when it likes. */
function held(what: 'capture' | 'refund') {
  const { promise, resolve } = Promise.withResolvers<object | number>();
  bench.provider[what] = () => promise;
  return resolve;
}

/** The ledger's documents of a payment: each balances, and together they are what was kept of the money. */
function expectLedger({ orderId, paymentId, ledger }: PaymentOfOrder, money: string, capture: number, refund = 0) {
  const [first, second] = ledger();
  const head = { paymentId, orderId, currency: 'USD' };
  const lines = (amount: number) => [
    { account: money, amount },
    { account: 'sales:web', amount: -amount },
  ];
  const at = expect.any(String);
  expect(first).toEqual(capture === 0 ? undefined : { ...head, kind: 'capture', at, lines: lines(capture) });
  expect(second).toEqual(refund === 0 ? undefined : { ...head, kind: 'refund', at, lines: lines(-refund) });
}

describe('when the stock is there', () => {
  test('a card is charged once with what was reserved, and forgotten', async () => {
    const order = await bench.order({ amount: 383, token: 'pm_secret' });
    expect(order.hasCard()).toBe(true);
    expect(await bench.deliver('inventory', ...twice(order.reserved))).toEqual(both);
    await until(order, 'captured');
    expect(await bench.deliver('inventory', order.reserved)).toEqual(['SUCCESS']);
    const { orderId, paymentId } = order;
    const requests = bench.asked.filter(({ body }) => (body as { paymentId: string }).paymentId === paymentId);
    const body = { paymentId, orderId, amount: 383, currency: 'USD', token: 'pm_secret' };
    expect(requests).toEqual([{ to: 'payment-provider', path: '/internal/capture', body }]);
    expect(order.happened()).toEqual(['requested', 'captured']);
    expect(bench.published(`payment:${paymentId}`)[1]).toMatchObject({
      partitionKey: 'web/1',
      data: { orderId, amount: 383, customerId: 'c-1', providerRef: 'pi_1' },
    });
    expect(await shown(order)).toMatchObject({ status: 'captured', captures: [{ amount: 383 }], refunds: [] });
    expectLedger(order, 'card-clearing', 383);
    expect(order.hasCard()).toBe(false);
    expect(JSON.stringify(bench.fake.published)).not.toContain('pm_secret');
  });

  test.each<['cash' | 'card', number, string]>([
    ['cash', 500, 'cash:web'],
    ['card', 0, 'card-clearing'],
    ['cash', 0, 'cash:web'],
  ])('by %s of %i: it is paid at once, and given back at once, without the provider', async (method, amount, account) => {
    const order = await bench.order({ method, amount });
    expect(await bench.deliver('inventory', ...twice(order.reserved))).toEqual(both);
    expect(order.happened()).toEqual(['captured']);
    expectLedger(order, account, amount);
    expect(await bench.deliver('orders', ...twice(order.cancelled))).toEqual(both);
    expect(order.happened()).toEqual(['captured', 'refund-requested', 'refunded']);
    expectLedger(order, account, amount, amount);
    expect(bench.askedOf(order.paymentId)).toEqual([]);
    expect(order.hasCard()).toBe(false);
  });

  test.each<[string, Answer]>([
    ['declined', declined],
    ['refused', { outcome: 'refused', code: 'invalid_request', detail: 'Your card was declined.' }],
  ])('a card that is %s fails the payment once, and is forgotten', async (_, answer) => {
    bench.provider.capture = () => answer;
    const order = await bench.order();
    await bench.deliver('inventory', order.reserved);
    await until(order, 'failed');
    await bench.deliver('inventory', order.reserved);
    await bench.deliver('orders', order.cancelled);
    const data = { reason: { code: 'PAYMENT_DECLINED', detail: declined.detail } };
    expect(bench.published(`payment:${order.paymentId}`)[1]).toMatchObject({ type: 'payment.failed', data });
    expect(order.happened()).toEqual(['requested', 'failed']);
    expect(await shown(order)).toMatchObject({ status: 'failed', captures: [], refunds: [] });
    expectLedger(order, '', 0);
    expect(order.hasCard()).toBe(false);
    expect(bench.askedOf(order.paymentId)).toEqual(['capture']);
  });

  test('without a card it fails, and the provider is not asked', async () => {
    const order = await bench.order({ token: '' });
    await bench.deliver('inventory', order.reserved);
    await until(order, 'failed');
    expect(bench.askedOf(order.paymentId)).toEqual([]);
  });

  test.each<[string, Answer]>([
    ['a fault', 500],
    ['an answer without an outcome', {}],
  ])('%s is no outcome: the card is kept, and a webhook of the provider wakes the next try', async (_, answer) => {
    bench.provider.capture = () => answer;
    const order = await bench.order();
    await bench.deliver('inventory', order.reserved);
    await soon(() => bench.askedOf(order.paymentId).length === 1);
    expect(await shown(order)).toMatchObject({ status: 'pending' });
    expect([order.happened(), order.hasCard()]).toEqual([['requested'], true]);
    bench.provider.capture = () => captured;
    const woken = performance.now();
    await knockUntil(order, 'captured');
    expect(performance.now() - woken).toBeLessThan(900); // by itself it would wait for a second
    expect(bench.askedOf(order.paymentId)).toEqual(['capture', 'capture']);
    expectLedger(order, 'card-clearing', 500);
  });

  test('the webhook of a payment that nobody knows is heard and wakes nothing', async () => {
    const order = await bench.order();
    expect(await bench.deliver('provider-events', order.webhook)).toEqual(['SUCCESS']);
    expect([order.happened(), bench.askedOf(order.paymentId)]).toEqual([[], []]);
  });

  test('the last card given for an order counts', async () => {
    const order = await bench.order({ token: 'pm_first' });
    await bench
      .as()
      .post('/internal/prepare')
      .send({ cards: [{ orderId: order.orderId, token: 'pm_second' }] });
    await bench.deliver('inventory', order.reserved);
    await until(order, 'captured');
    expect(bench.asked.at(-1)?.body).toMatchObject({ token: 'pm_second' });
  });

  test('also when a repeat brings it in the same call, and the cards of others are kept', async () => {
    const [order, other] = [await bench.order({ token: '' }), await bench.order({ token: '' })];
    const cards = ['pm_first', 'pm_second'].map((token) => ({ orderId: order.orderId, token }));
    const all = [...cards, { orderId: other.orderId, token: 'pm_other' }];
    expect((await bench.as().post('/internal/prepare').send({ cards: all })).status).toBe(204);
    expect(other.hasCard()).toBe(true);
    await bench.deliver('inventory', order.reserved);
    await until(order, 'captured');
    expect(bench.asked.at(-1)?.body).toMatchObject({ token: 'pm_second' });
  });

  test('the provider is asked what it knows once it has forgotten our keys', async () => {
    bench.provider.capture = () => 500;
    const order = await bench.order();
    await bench.deliver('inventory', order.reserved);
    await soon(() => bench.askedOf(order.paymentId).length === 1);
    const then = bench.now;
    bench.now = new Date(then.getTime() + 21 * 3_600_000);
    bench.provider.lookup = () => captured;
    await knockUntil(order, 'captured');
    bench.now = then;
    expect(bench.askedOf(order.paymentId)).toEqual(['capture', 'lookup']);
  });

  test('an outcome that cannot be saved is asked for again, and booked once', async () => {
    const order = await bench.order();
    let refused = 0;
    bench.fake.intercept = (_, path, body) => {
      if (!path.endsWith('/transaction') || !body.includes(`ledger:${order.paymentId}`) || refused > 0)
        return undefined;
      refused += 1;
      return { status: 500 };
    };
    await bench.deliver('inventory', order.reserved);
    await until(order, 'captured');
    expect(refused).toBe(1);
    expectLedger(order, 'card-clearing', 500);
    expect(order.hasCard()).toBe(false);
  });
});

describe('when the order is cancelled', () => {
  test('first, nothing is ever charged', async () => {
    const order = await bench.order();
    expect(await bench.deliver('orders', ...twice(order.cancelled))).toEqual(both);
    expect(await bench.deliver('inventory', ...twice(order.reserved))).toEqual(both);
    expect(order.happened()).toEqual(['voided']);
    expect(await shown(order)).toMatchObject({ status: 'cancelled', amount: 500, captures: [] });
    expect(bench.askedOf(order.paymentId)).toEqual([]);
    expect(order.hasCard()).toBe(false);
    expectLedger(order, '', 0);
  });

  test('after the charge, the provider gives it back once', async () => {
    const order = await bench.order();
    await bench.deliver('inventory', order.reserved);
    await until(order, 'captured');
    const { length } = bench.asked;
    expect(await bench.deliver('orders', ...twice(order.cancelled))).toEqual(both);
    await until(order, 'refunded');
    await bench.deliver('orders', order.cancelled);
    const { paymentId } = order;
    const request = { paymentId, providerRef: 'pi_1', refundId: expect.any(String), amount: 500, currency: 'USD' };
    expect(bench.asked.slice(length)).toMatchObject([{ path: '/internal/refund', body: request }]);
    expect(order.happened()).toEqual(['requested', 'captured', 'refund-requested', 'refunded']);
    expect(await shown(order)).toMatchObject({ status: 'refunded', captures: [{}], refunds: [{ amount: 500 }] });
    expectLedger(order, 'card-clearing', 500, 500);
  });

  test('while the provider is asked: what it captures is given back', async () => {
    const answer = held('capture');
    const order = await bench.order();
    await bench.deliver('inventory', order.reserved);
    await soon(() => bench.askedOf(order.paymentId).length === 1);
    expect(await bench.deliver('orders', ...twice(order.cancelled))).toEqual(both);
    expect(await shown(order)).toMatchObject({ status: 'pending' });
    answer(captured);
    await until(order, 'refunded');
    const noted = ['requested', 'cancellation-noted'];
    expect(order.happened()).toEqual([...noted, 'captured', 'refund-requested', 'refunded']);
    expect(bench.askedOf(order.paymentId)).toEqual(['capture', 'refund']);
    expectLedger(order, 'card-clearing', 500, 500);
    expect(order.hasCard()).toBe(false);
  });

  test('while the provider is asked: what it declines is over', async () => {
    const answer = held('capture');
    const order = await bench.order();
    await bench.deliver('inventory', order.reserved);
    await soon(() => bench.askedOf(order.paymentId).length === 1);
    await bench.deliver('orders', order.cancelled);
    answer(declined);
    await until(order, 'failed');
    expect(bench.askedOf(order.paymentId)).toEqual(['capture']);
    expectLedger(order, '', 0);
  });

  test.each<[string, Answer]>([
    ['cannot', 500],
    ['will not', { outcome: 'refused', code: 'charge_disputed', detail: 'no' }],
  ])('and the provider %s give it back now, it stays due', async (_, answer) => {
    bench.provider.refund = () => answer;
    const order = await bench.order();
    await bench.deliver('inventory', order.reserved);
    await until(order, 'captured');
    await bench.deliver('orders', order.cancelled);
    await soon(() => bench.askedOf(order.paymentId).length === 2);
    expect(await shown(order)).toMatchObject({ status: 'refunding', refunds: [] });
    bench.provider.refund = defaults.refund;
    await knockUntil(order, 'refunded');
    expectLedger(order, 'card-clearing', 500, 500);
  });
});

describe('GET /payments', () => {
  test('shows a payment to its owner and to who reads the shop, and nobody else', async () => {
    const order = await bench.order({ method: 'cash' });
    await bench.deliver('inventory', order.reserved);
    const { paymentId: id, orderId } = order;
    const at = expect.any(String);
    const payment = { id, orderId, status: 'captured', amount: 500, currency: 'USD', refunds: [] };
    const own = await get(`/${id}`);
    expect(own.body).toEqual({ ...payment, captures: [{ amount: 500, at }] });
    expect(own.headers.etag).toBe('"1"');
    const reader = { sub: 'r', perm: ['payment:read'], shops: ['web'] };
    expect((await get(`?orderId=${orderId}`, reader)).body).toEqual({ items: [own.body], next: null });
    const wrong: Bearer[] = [{ sub: 'c-2' }, { ...reader, shops: ['north'] }, { sub: 'c-1', client_id: 'c-1' }];
    for (const bearer of wrong) {
      expect((await get(`/${id}`, bearer)).body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
      expect((await get(`?orderId=${orderId}`, bearer)).body).toEqual({ items: [], next: null });
    }
    expect((await get('')).status).toBe(400);
    expect((await bench.as().get(`/api/v1/payments/${id}`)).status).toBe(401);
  });
});
