// What stock, money, time and customers do to an order, by deliveries and routes.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bearer, type CloudEvent, soon } from '#kit/testing/bench';
import { expireOrder } from './expire-order.ts';
import type { OrderSummary } from './order.ts';
import type { OrderView } from './schemas.ts';
import {
  customer,
  type OrderBench,
  paid,
  rejected,
  released,
  sale,
  startOrderBench,
  till,
} from './testing/order-bench.ts';

let bench: OrderBench;
beforeAll(async () => {
  bench = await startOrderBench();
});
afterEach(() => {
  bench.fake.intercept = undefined;
});
afterAll(() => bench.close());

async function placed(): Promise<OrderSummary> {
  return bench.summary((await bench.place()).id);
}
const happened = (orderId: string) => bench.published(`order:${orderId}`).map(({ type }) => type.split('.')[1]);
const read = async (orderId: string): Promise<OrderView> =>
  (await bench.as(customer).get(`/api/v1/orders/${orderId}`)).body;
let keys = 0;
const cancel = (orderId: string, bearer: Bearer = customer, reason = 'Too late', key = `cancel-${++keys}`) =>
  bench.as(bearer).post(`/api/v1/orders/${orderId}/cancel`).set('idempotency-key', key).send({ reason });
const captured = (order: OrderSummary) => paid('payment.captured', order, 2);
const refunded = (order: OrderSummary) => paid('payment.refunded', order, 4);

describe('what is heard of an order', () => {
  const declined = { code: 'PAYMENT_DECLINED', detail: 'Your card was declined.' };
  const short = { code: 'STOCK_INSUFFICIENT', detail: expect.any(String) };
  test.each<[string, 'inventory' | 'payments', (order: OrderSummary) => CloudEvent, object, string]>([
    ['stock.rejected', 'inventory', rejected, { status: 'cancelled', cancellation: short }, 'cancelled'],
    ['stock.released', 'inventory', released, { cancellation: declined, payment: { status: 'failed' } }, 'cancelled'],
    ['payment.captured', 'payments', captured, { status: 'confirmed', payment: { status: 'captured' } }, 'confirmed'],
  ])('%s decides it once, however often it comes', async (_, topic, eventOf, shown, type) => {
    const order = await placed();
    expect(await bench.deliver(topic, eventOf(order), eventOf(order))).toEqual(['SUCCESS', 'SUCCESS']);
    expect(await bench.deliver(topic, eventOf(order))).toEqual(['SUCCESS']);
    expect(await read(order.orderId)).toMatchObject({ ...shown, version: 2 });
    expect(happened(order.orderId)).toEqual(['placed', type]);
  });

  test('a confirmed order says who paid, and all that others need', async () => {
    const order = await placed();
    await bench.deliver('payments', captured(order));
    const [, confirmed] = bench.published(`order:${order.orderId}`);
    expect(confirmed).toMatchObject({ partitionKey: order.partition });
    expect(confirmed?.data).toEqual({ ...order, paymentId: `pay-${order.orderId}` });
  });

  test('money that comes after the cancellation confirms nothing, and its return is noted once', async () => {
    const order = await placed();
    await cancel(order.orderId);
    expect(await bench.deliver('payments', captured(order), captured(order))).toEqual(['SUCCESS', 'SUCCESS']);
    expect(await read(order.orderId)).toMatchObject({ status: 'cancelled', version: 2 });
    await bench.deliver('payments', refunded(order), refunded(order));
    await bench.deliver('payments', refunded(order));
    expect(await read(order.orderId)).toMatchObject({ payment: { status: 'refunded' }, version: 3 });
    expect(happened(order.orderId)).toEqual(['placed', 'cancelled', 'refunded']);
    expect(bench.published(`order:${order.orderId}`).at(-1)?.data).toMatchObject({ amount: 500, from: 'placed' });
  });

  test.each([
    ['takes what the delivery changes', (etag: string) => etag],
    ['does not take it at once', () => 'etag-of-nothing'],
  ])('a return of money is noted when the store shows an order as it was before, and %s', async (_, etagOf) => {
    const [order, other] = [await placed(), await placed()];
    await bench.deliver('payments', captured(order));
    const keys = [order, other].map(({ orderId }) => `order:${orderId}`);
    const bulk = `http://127.0.0.1:${bench.fake.port}/v1.0/state/statestore-order/bulk`;
    const stored = await (await fetch(bulk, { method: 'POST', body: JSON.stringify({ keys }) })).json();
    const before = (stored as { etag: string }[]).map((each) => ({ ...each, etag: etagOf(each.etag) }));
    await cancel(order.orderId);
    bench.fake.intercept = (_method, path) => {
      if (!path.endsWith('/bulk')) return undefined;
      bench.fake.intercept = undefined;
      return { status: 200, body: before };
    };
    expect(await bench.deliver('payments', captured(other), refunded(order))).toEqual(['SUCCESS', 'SUCCESS']);
    expect(await read(order.orderId)).toMatchObject({ payment: { status: 'refunded' } });
    expect(await read(other.orderId)).toMatchObject({ status: 'confirmed' });
  });

  test('the first word stands: stock that is released after the money came cancels nothing', async () => {
    const order = await placed();
    await bench.deliver('payments', captured(order));
    await bench.deliver('inventory', released(order), rejected(order));
    expect(await read(order.orderId)).toMatchObject({ status: 'confirmed', version: 2 });
  });

  test('many orders of one delivery are one transaction', async () => {
    const orders = await Promise.all(Array.from({ length: 10 }, placed));
    const before = bench.fake.calls.length;
    await bench.deliver('payments', ...orders.map(captured));
    const calls = bench.fake.calls.slice(before);
    expect(calls.filter((call) => call.endsWith('/transaction'))).toHaveLength(1);
    expect(calls.filter((call) => call.includes('/publish/'))).toHaveLength(1);
    for (const { orderId } of orders) expect(happened(orderId)).toEqual(['placed', 'confirmed']);
  });

  test('an order that does not exist is buried after five tries, and says so', async () => {
    const order = await placed();
    const strange = captured({ ...order, orderId: 'none' });
    for (let tries = 1; tries < 5; tries += 1) {
      expect(await bench.deliver('payments', strange, captured(order))).toEqual(['RETRY', 'SUCCESS']);
    }
    await expect(bench.deliver('payments', strange)).rejects.toThrow(/DECISION_FAILED.*does not exist: none/);
  });

  test('what is saved and not published comes again, and is published then', async () => {
    const order = await placed();
    bench.fake.intercept = (_, path) => (path.includes('/publish/') ? { status: 500 } : undefined);
    expect(await bench.deliver('payments', captured(order))).toEqual(['RETRY']);
    expect(happened(order.orderId)).toEqual(['placed']);
    bench.fake.intercept = undefined;
    expect(await bench.deliver('payments', captured(order))).toEqual(['SUCCESS']);
    expect(happened(order.orderId)).toEqual(['placed', 'confirmed']);
  });

  test('what cannot be saved comes again', async () => {
    const order = await placed();
    bench.fake.intercept = (_, path) => (path.endsWith('/transaction') ? { status: 503 } : undefined);
    expect(await bench.deliver('payments', captured(order))).toEqual(['RETRY']);
    bench.fake.intercept = undefined;
    expect(await bench.deliver('payments', captured(order))).toEqual(['SUCCESS']);
    expect(await read(order.orderId)).toMatchObject({ status: 'confirmed', version: 2 });
  });
});

describe('POST /orders/{id}/cancel', () => {
  test('ends an order that is not paid, once', async () => {
    const { orderId } = await placed();
    const answer = await cancel(orderId, customer, 'Too late', 'once');
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ status: 'cancelled', payment: { status: 'cancelled' }, version: 2 });
    expect(answer.body.cancellation).toEqual({ code: 'CUSTOMER_REQUEST', detail: 'Too late' });
    const again = await cancel(orderId, customer, 'Too late', 'once');
    expect([again.status, again.headers['idempotent-replayed'], again.body]).toEqual([202, 'true', answer.body]);
    expect((await cancel(orderId, customer, 'Other', 'once')).body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect((await cancel(orderId)).body).toMatchObject({ status: 409, code: 'ORDER_CANCELLED' });
    expect(happened(orderId)).toEqual(['placed', 'cancelled']);
  });

  test('asks the money of a paid one back, and answers a repeat as it was then', async () => {
    const order = await placed();
    await bench.deliver('payments', captured(order));
    const answer = await cancel(order.orderId, customer, '', 'paid');
    expect(answer.body).toMatchObject({ status: 'cancelled', payment: { status: 'refunding' }, version: 3 });
    expect(bench.published(`order:${order.orderId}`).at(-1)?.data).toMatchObject({ from: 'confirmed', net: 500 });
    await bench.deliver('payments', refunded(order));
    expect((await cancel(order.orderId, customer, '', 'paid')).body).toEqual(answer.body);
  });

  test('is the owner’s, and that of who may write orders of the shop', async () => {
    const { orderId } = await placed();
    const reader = { sub: 'r', perm: ['order:read'], shops: ['web'] };
    expect((await cancel(orderId, { sub: 'c-2', perm: ['order:place'] })).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await cancel(orderId, { ...reader, shops: ['north'] })).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await cancel(orderId, reader)).body).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect((await cancel('none')).body).toMatchObject({ code: 'NOT_FOUND' });
    expect(happened(orderId)).toEqual(['placed']);
    expect((await cancel(orderId, { ...reader, perm: ['order:read', 'order:write'] })).status).toBe(202);
  });

  test('needs a key and a reason of 500 characters at most', async () => {
    const { orderId } = await placed();
    const post = () => bench.as(customer).post(`/api/v1/orders/${orderId}/cancel`);
    expect((await post().send({ reason: '' })).body).toMatchObject({ code: 'IDEMPOTENCY_KEY_MISSING' });
    expect((await cancel(orderId, customer, 'x'.repeat(501))).body).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect((await cancel(orderId, customer, 'x'.repeat(500))).status).toBe(202);
  });
});

describe('the deadline', () => {
  const at = (time: string) => {
    bench.now = new Date(`2026-03-01T${time}Z`);
  };
  afterEach(() => at('10:00:00.000'));

  test('cancels what nobody decided, not a moment earlier, and nothing else', async () => {
    const [open, paidFor] = [await placed(), await placed()];
    const settled = await bench.place(sale, till);
    await bench.deliver('payments', captured(paidFor));
    const expire = () =>
      Promise.all([open.orderId, paidFor.orderId, settled.id].map((id) => expireOrder(bench.service.streams, id)));
    at('10:14:59.999');
    await expire();
    expect(happened(open.orderId)).toEqual(['placed']);
    at('10:15:00.000');
    await expire();
    await expire();
    await soon(() => happened(open.orderId).length > 1);
    expect(happened(open.orderId)).toEqual(['placed', 'cancelled']);
    expect(await read(open.orderId)).toMatchObject({ cancellation: { code: 'DEADLINE' } });
    expect(happened(paidFor.orderId)).toEqual(['placed', 'confirmed']);
    expect(happened(settled.id)).toEqual(['placed']);
  });
});
