// POST /orders/{id}/fulfilments and /orders/{id}/returns, by clients.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bearer } from '#kit/testing/bench';
import type { OrderView } from './schemas.ts';
import { customer, type OrderBench, paid, sale, startOrderBench, till, webOrder } from './testing/order-bench.ts';

let bench: OrderBench;
beforeAll(async () => {
  bench = await startOrderBench();
});
afterEach(() => {
  bench.now = new Date('2026-03-01T10:00:00.000Z');
});
afterAll(() => bench.close());

const staff: Bearer = { sub: 'm-1', perm: ['order:read', 'order:write'], shops: ['web'] };
/** Two teas for 5.00 and three samples of a dollar each. */
const basket = { ...webOrder, lines: [...webOrder.lines, { sku: 'p-1', quantity: 3 }] };

async function confirmed(body: object = basket, bearer = customer): Promise<OrderView> {
  const order = await bench.place(body, bearer);
  await bench.deliver('payments', paid('payment.captured', bench.summary(order.id), 2));
  return order;
}
let keys = 0;
const post = (what: 'fulfilments' | 'returns', id: string, body: object, bearer: Bearer, key = `goods-${++keys}`) =>
  bench.as(bearer).post(`/api/v1/orders/${id}/${what}`).set('idempotency-key', key).send(body);
const fulfil = (id: string, body: object = {}, bearer = staff, key?: string) =>
  post('fulfilments', id, body, bearer, key);
const bring = (id: string, lines: object[], bearer = customer, key?: string) =>
  post('returns', id, { lines, reason: 'Too small' }, bearer, key);
const tea = (quantity: number, condition = 'sellable') => ({ sku: 'tea', quantity, condition });
const read = async (id: string): Promise<OrderView> => (await bench.as(customer).get(`/api/v1/orders/${id}`)).body;
const happened = (id: string) => bench.published(`order:${id}`).map(({ type }) => type.split('.')[1]);

describe('fulfilments', () => {
  test('hand out what is named, then what is left, and end in a fulfilled order', async () => {
    const { id } = await confirmed();
    const first = await fulfil(id, { lines: [{ sku: 'tea', quantity: 1 }] });
    expect([first.status, first.headers.location, first.headers.etag]).toEqual([201, `/api/v1/orders/${id}`, '"3"']);
    expect(first.body).toMatchObject({ id: expect.any(String), orderId: id, lines: [{ sku: 'tea', quantity: 1 }] });
    expect(await read(id)).toMatchObject({ status: 'confirmed', fulfilments: [first.body] });
    const rest = await fulfil(id);
    expect(rest.body.lines).toEqual([
      { sku: 'tea', quantity: 1 },
      { sku: 'p-1', quantity: 3 },
    ]);
    expect(await read(id)).toMatchObject({ status: 'fulfilled', fulfilments: [first.body, rest.body], version: 4 });
    expect((await fulfil(id)).body).toMatchObject({ status: 409, code: 'ORDER_FULFILLED' });
    expect(bench.published(`order:${id}`).slice(2)).toMatchObject([
      { type: 'order.fulfilled', data: { orderId: id, whole: false } },
      { type: 'order.fulfilled', data: { whole: true, shopId: 'web', lines: rest.body.lines } },
    ]);
  });

  test('are made once for a key', async () => {
    const { id } = await confirmed();
    const one = { lines: [{ sku: 'tea', quantity: 1 }] };
    const answers = await Promise.all(Array.from({ length: 5 }, () => fulfil(id, one, staff, 'same-hand')));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(201));
    for (const { body } of answers) expect(body).toEqual(answers[0]?.body);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true')).toHaveLength(4);
    expect(happened(id)).toEqual(['placed', 'confirmed', 'fulfilled']);
    expect((await fulfil(id, {}, staff, 'same-hand')).body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  test('are refused of an order that is not confirmed, and of more than there is', async () => {
    const { id: open } = await bench.place();
    expect((await fulfil(open)).body).toMatchObject({ status: 409, code: 'ORDER_NOT_CONFIRMED' });
    const { id } = await confirmed();
    expect((await fulfil(id, { lines: [{ sku: 'tea', quantity: 3 }] })).body).toMatchObject({
      ...{ status: 409, code: 'FULFILMENT_EXCEEDS' },
      errors: [{ pointer: '/lines/0/quantity' }],
    });
    expect((await fulfil(id, { lines: [{ sku: 'rum', quantity: 1 }] })).body).toMatchObject({
      ...{ status: 422, code: 'SKU_NOT_ORDERED' },
    });
    expect((await fulfil(id, { lines: [] })).status).toBe(400);
    expect(happened(id)).toEqual(['placed', 'confirmed']);
  });

  test('are the business of who may write orders of the shop', async () => {
    const { id } = await confirmed();
    const elsewhere = { ...staff, shops: ['north'] };
    expect((await fulfil(id, {}, customer)).body).toMatchObject({ status: 403 });
    expect((await fulfil(id, {}, { sub: 'c-2', perm: ['order:place'] })).body).toMatchObject({ status: 404 });
    expect((await fulfil(id, {}, elsewhere)).body).toMatchObject({ status: 404 });
    expect((await fulfil('none')).body).toMatchObject({ status: 404 });
    const keyless = await bench.as(staff).post(`/api/v1/orders/${id}/fulfilments`).send({});
    expect(keyless.body).toMatchObject({ code: 'IDEMPOTENCY_KEY_MISSING' });
  });

  test('leave nothing to cancel', async () => {
    const { id } = await confirmed();
    await fulfil(id, { lines: [{ sku: 'tea', quantity: 1 }] });
    const cancel = bench.as(customer).post(`/api/v1/orders/${id}/cancel`).set('idempotency-key', 'late');
    expect((await cancel.send({ reason: '' })).body).toMatchObject({ status: 409, code: 'ORDER_FULFILLED' });
  });
});

describe('returns', () => {
  test('say what is given back, and stand in the order', async () => {
    const { id } = await confirmed();
    await fulfil(id);
    const answer = await bring(id, [tea(1), tea(1, 'damaged'), { sku: 'p-1', quantity: 2, condition: 'sellable' }]);
    expect([answer.status, answer.headers.etag]).toEqual([201, '"4"']);
    expect(answer.body).toMatchObject({
      ...{ orderId: id, reason: 'Too small', amount: 700, currency: 'USD', method: 'card' },
      lines: [
        { ...tea(1), amount: 250 },
        { ...tea(1, 'damaged'), amount: 250 },
        { sku: 'p-1', amount: 200 },
      ],
    });
    expect(await read(id)).toMatchObject({ status: 'fulfilled', returns: [answer.body] });
    expect(bench.published(`order:${id}`).at(-1)).toMatchObject({
      type: 'order.returned',
      data: { returnId: answer.body.id, customerId: 'c-1', tender: { method: 'card' }, amount: 700, whole: true },
    });
    const { body } = await bench.as(customer).get(`/api/v1/orders/${id}`);
    expect(JSON.stringify(body)).not.toContain('unfulfilled');
  });

  test('are made once for a key, and a repeat is answered as it was then', async () => {
    const { id } = await confirmed();
    const [first, second] = await Promise.all([1, 2].map(() => bring(id, [tea(1)], customer, 'same-bag')));
    expect([first?.status, second?.status]).toEqual([201, 201]);
    expect(second?.body).toEqual(first?.body);
    await bring(id, [tea(1)]);
    const again = await bring(id, [tea(1)], customer, 'same-bag');
    expect([again.headers['idempotent-replayed'], again.headers.etag]).toEqual(['true', '"3"']);
    expect(again.body).toEqual(first?.body);
    expect((await bring(id, [tea(2)], customer, 'same-bag')).body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(happened(id)).toEqual(['placed', 'confirmed', 'returned', 'returned']);
  });

  test('that come at the same time never bring back more than was bought', async () => {
    const { id } = await confirmed();
    const answers = await Promise.all(Array.from({ length: 6 }, () => bring(id, [tea(1)])));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409, 409, 409]);
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.body).toMatchObject({ code: 'RETURN_EXCEEDS', errors: [{ pointer: '/lines/0/quantity' }] });
    const amounts = (await read(id)).returns?.map(({ amount }) => amount);
    expect(amounts).toEqual([250, 250]);
  });

  test('end thirty days after the sale, or after what was handed out last', async () => {
    const late = { ...sale, occurredAt: '2026-01-02T03:04:05.000Z' };
    const old = await confirmed(late, till);
    const manager: Bearer = { ...staff, shops: ['north'] };
    expect((await bring(old.id, [tea(1)], manager)).body).toMatchObject({
      ...{ status: 409, code: 'RETURN_WINDOW_CLOSED', until: '2026-02-01T03:04:05.000Z' },
    });
    const { id } = await confirmed();
    bench.now = new Date('2026-03-11T10:00:00.000Z');
    await fulfil(id);
    bench.now = new Date('2026-04-10T10:00:00.000Z');
    expect((await bring(id, [tea(1)])).status).toBe(201);
    bench.now = new Date('2026-04-10T10:00:00.001Z');
    expect((await bring(id, [tea(1)])).body).toMatchObject({ code: 'RETURN_WINDOW_CLOSED' });
  });

  test('of a till are made by the shop’s staff: in cash what was paid in cash', async () => {
    const { id } = await confirmed({ ...sale, occurredAt: '2026-02-28T10:00:00.000Z' }, till);
    expect((await bring(id, [tea(2)], till)).body).toMatchObject({ status: 403 });
    const named = { sub: 'household-7', perm: ['order:place'] };
    expect((await bring(id, [tea(2)], named)).body).toMatchObject({ status: 403 });
    const { body } = await bring(id, [tea(1)], { ...staff, shops: ['north'] });
    expect(body).toMatchObject({ amount: 191, method: 'cash' }); // (2 x 1.99 - 0.15) / 2
    expect((await bring(id, [tea(1)], { ...staff, shops: ['north'] })).body).toMatchObject({ amount: 192 });
  });

  test('are refused of what was not ordered, not confirmed, cancelled or not the caller’s', async () => {
    const { id: open } = await bench.place();
    expect((await bring(open, [tea(1)])).body).toMatchObject({ status: 409, code: 'ORDER_NOT_CONFIRMED' });
    const cancel = bench.as(customer).post(`/api/v1/orders/${open}/cancel`).set('idempotency-key', 'no');
    await cancel.send({ reason: '' });
    expect((await bring(open, [tea(1)])).body).toMatchObject({ status: 409, code: 'ORDER_CANCELLED' });
    const { id } = await confirmed();
    expect((await bring(id, [{ ...tea(1), sku: 'rum' }])).body).toMatchObject({ status: 422, code: 'SKU_NOT_ORDERED' });
    expect((await bring(id, [tea(1), tea(1)])).body).toMatchObject({ status: 400, code: 'DUPLICATE_LINES' });
    expect((await bring(id, [tea(1, 'lost')])).body).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    expect((await bring(id, [tea(0)])).body).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    expect((await bring(id, Array(501).fill(tea(1)))).body).toMatchObject({ status: 400, code: 'TOO_MANY_LINES' });
    expect((await bring(id, [tea(1)], { sub: 'c-2', perm: ['order:place'] })).body).toMatchObject({ status: 404 });
    expect(happened(id)).toEqual(['placed', 'confirmed']);
  });
});
