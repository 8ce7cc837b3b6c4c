// What auditors are told of an order: every event, and the order as it was.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Bearer } from '#kit/testing/bench';
import { customer, type OrderBench, paid, startOrderBench } from './testing/order-bench.ts';

let bench: OrderBench;
beforeAll(async () => {
  bench = await startOrderBench();
});
afterAll(() => bench.close());

const auditor: Bearer = { sub: 'a-1', perm: ['audit:read'], shops: ['*'] };
const get = (path: string, bearer?: Bearer) => bench.as(bearer).get(`/api/v1/orders/${path}`);

/** Placed at 10:00, confirmed at 10:01. */
async function confirmed(): Promise<string> {
  bench.now = new Date('2026-03-01T10:00:00.000Z');
  const { id } = await bench.place();
  bench.now = new Date('2026-03-01T10:01:00.000Z');
  await bench.deliver('payments', paid('payment.captured', bench.summary(id), 2));
  return id;
}

test('the events name who, when and why', async () => {
  const id = await confirmed();
  const { status, body } = await get(`${id}/events`, auditor);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    items: [
      {
        ...{ version: 1, type: 'order.placed', at: '2026-03-01T10:00:00.000Z', actor: customer.sub, causationId: id },
        data: { orderId: id, net: 500 },
      },
      {
        ...{ version: 2, type: 'order.confirmed', at: '2026-03-01T10:01:00.000Z', actor: 'app:order' },
        ...{ correlationId: 'request-1', data: { paymentId: `pay-${id}` } },
      },
    ],
    next: null,
  });
  const first = (await get(`${id}/events?limit=1`, auditor)).body;
  expect(first.items).toEqual([body.items[0]]);
  expect((await get(`${id}/events?limit=1&cursor=${first.next}`, auditor)).body.items).toEqual([body.items[1]]);
});

test('the order is told as it was then', async () => {
  const id = await confirmed();
  const at = async (instant: string) => (await get(`${id}?at=${instant}`, auditor)).body;
  expect(await at('2026-03-01T09:59:59.999Z')).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  expect(await at('2026-03-01T10:00:00Z')).toMatchObject({
    status: 'placed',
    payment: { status: 'pending' },
    version: 1,
  });
  expect(await at('2026-03-01T10:01:00Z')).toMatchObject({ status: 'confirmed', version: 2 });
  expect(await at('2999-01-01T00:00:00Z')).toEqual((await get(id, customer)).body);
  for (const wrong of ['yesterday', '2026-03-01', '2026-03-01T10:00:00Z&wait=1']) {
    expect(await at(wrong)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  }
});

test('nobody sees it who is no auditor of the shop', async () => {
  const id = await confirmed();
  const [now, north] = ['2999-01-01T00:00:00Z', { ...auditor, shops: ['north'] }];
  for (const path of [`${id}/events`, `${id}?at=${now}`]) {
    expect((await get(path)).status).toBe(401);
    expect((await get(path, customer)).status).toBe(403);
    expect((await get(path, { ...auditor, perm: ['order:read'] })).status).toBe(403);
    expect((await get(path, north)).status).toBe(404);
    expect((await get(path, { ...auditor, shops: ['web'] })).status).toBe(200);
  }
  for (const none of ['none', '00000000-0000-4000-8000-000000000000']) {
    expect((await get(`${none}/events`, auditor)).status).toBe(404);
    expect((await get(`${none}?at=${now}`, auditor)).status).toBe(404);
  }
});
