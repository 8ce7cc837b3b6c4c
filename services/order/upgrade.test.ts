// Orders that an earlier release placed: their documents hold `order.placed` in its first version, and go on.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StreamDocument } from '#kit/events/document';
import { type Bearer, event } from '#kit/testing/bench';
import { example } from '#kit/testing/example';
import type { OrderSummary } from './order.ts';
import { customer, type OrderBench, paid, startOrderBench } from './testing/order-bench.ts';

let bench: OrderBench;
beforeAll(async () => {
  bench = await startOrderBench();
});
afterAll(() => bench.close());

const auditor: Bearer = { sub: 'a-1', perm: ['audit:read'], shops: ['*'] };
const id = '5f0e1b36-9d0e-5c0f-8f5c-2f6d1a7c9b10';
const deadlineAt = '2026-11-23T10:15:00.000Z';
const golden = event(
  'order.placed',
  `order:${id}`,
  1,
  example('order.placed', { orderId: id, customerId: 'c-1', deadlineAt }),
);
const { stream: key, payload, ...envelope } = golden.data;
const { at } = envelope;
const summary = payload as unknown as OrderSummary;

/** The document as the earlier release saved it, not yet published. */
function keepOld(): void {
  const stored = {
    ...{ type: 'order.placed', data: summary, id: golden.id, traceparent: golden.traceparent },
    ...envelope,
  };
  const document: StreamDocument = {
    ...{ key, id, version: 1, state: { status: 'placed', summary, payment: 'pending' }, events: [stored] },
    ...{ sealedPages: 0, publishedVersion: 0, topic: 'orders', partitionKey: summary.partition, commands: [] },
  };
  bench.fake.put('statestore-order', key, document);
}

test('an order of the first version is read, confirmed and told as it was', async () => {
  keepOld();
  bench.now = new Date('2026-11-23T10:01:00.000Z');
  const get = (path: string, bearer: Bearer = auditor) => bench.as(bearer).get(`/api/v1/orders/${id}${path}`);
  expect((await get('', customer)).body).toMatchObject({ id, status: 'placed', net: summary.net });
  expect(await bench.deliver('payments', paid('payment.captured', summary, 2))).toEqual(['SUCCESS']);
  expect((await get('', customer)).body).toMatchObject({ status: 'confirmed', version: 2 });
  expect((await get(`?at=${at}`)).body).toMatchObject({ status: 'placed', version: 1, net: summary.net });
  const { items } = (await get('/events')).body;
  expect(items[0]).toMatchObject({
    ...{ id: golden.id, schemaVersion: 2, at },
    data: { terms: { settled: false, deadlineAt } },
  });
  expect(items[1].data).toMatchObject({ settled: false, deadlineAt });
});

test('what was not yet published goes out as it was written, and its hearers read it as the newest', async () => {
  const sent = bench.fake.published.map(({ event }) => event as { type: string });
  expect(sent.map(({ type }) => type)).toEqual(['retail.order.placed.v1', 'retail.order.confirmed.v1']);
  expect(sent[0]).toMatchObject(golden);
  expect(await bench.deliver('orders', golden)).toEqual(['SUCCESS']);
  expect(bench.views.row('orders', id)).toMatchObject({ status: 'placed', deadline_at: deadlineAt });
});
