// What auditors are told of a stock item: its events, with the actor that only their causes know.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventId } from '#kit/events/document';
import type { Bearer } from '#kit/testing/bench';
import { eventsOf, type InventoryBench, manager, startInventoryBench } from './testing/inventory-bench.ts';

let bench: InventoryBench;
beforeAll(async () => {
  bench = await startInventoryBench();
});
afterAll(() => bench.close());

const auditor: Bearer = { sub: 'a-1', perm: ['audit:read', 'inventory:read'], shops: ['*'] };
const get = (path: string, bearer: Bearer = auditor) => bench.as(bearer).get(`/api/v1/inventory/${path}`);

interface Told {
  readonly version: number;
  readonly type: string;
  readonly at: string;
  readonly actor: string | null;
}

test('each event names the actor and the event that it is part of, also what was found and what was walked back', async () => {
  await bench.stock('north', [{ sku: 'tea', quantity: 5 }]);
  const sold = eventsOf({ orderId: 'o-1', lines: [{ sku: 'tea', quantity: 7 }], settled: true });
  await bench.deliver('orders', sold.placed, sold.confirmed);
  // Large enough for two chunks; the last line is refused, so that the first is given back.
  const many = Array.from({ length: 90 }, (_, n) => ({ sku: n === 0 ? 'tea' : `t-${n}`, quantity: 1 }));
  await bench.stock('north', many);
  const lines = [...many, { sku: 'none', quantity: 1 }];
  await bench.deliver('orders', eventsOf({ orderId: 'o-2', lines }).placed);
  const { items } = (await get('north/tea/events')).body;
  const reservation = (n: number) => eventId('reservation:o-1', n);
  expect(items).toMatchObject([
    { version: 1, type: 'item.received', actor: manager.sub, data: { quantity: 5 } },
    { version: 2, type: 'item.found', actor: 'app:inventory', causationId: reservation(1), data: { quantity: 2 } },
    { version: 3, type: 'item.reserved', correlationId: 'request-1', causationId: reservation(2) },
    { version: 4, type: 'item.committed', actor: 'app:inventory', causationId: reservation(3) },
    { version: 5, type: 'item.received', actor: manager.sub, data: { quantity: 1 } },
    {
      version: 6,
      type: 'item.reserved',
      causationId: eventId('reservation:o-2', 1),
      data: { cause: 'reservation:o-2' },
    },
    { version: 7, type: 'item.released', causationId: eventId('reservation:o-2', 1) },
  ]);
});

test('the stock is told as it was, also on pages that left the document', async () => {
  for (let n = 0; n < 40; n += 1) await bench.stock('north', [{ sku: 'rice', quantity: 1 }]);
  const told: Told[] = [];
  for (let next: string | null = ''; next !== null; ) {
    const { body } = await get(`north/rice/events?limit=15${next && `&cursor=${next}`}`);
    told.push(...body.items);
    next = body.next;
  }
  expect(told.map(({ version }) => version)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  expect(bench.document('item:bm9ydGg:cmljZQ')?.sealedPages).toBe(1);
  for (const at of new Set(told.map((event) => event.at))) {
    const onHand = told.filter((event) => event.at <= at).length;
    expect((await get(`north/rice?at=${at}`)).body).toEqual({
      ...{ shopId: 'north', sku: 'rice', onHand, reserved: 0, available: onHand },
    });
  }
  expect((await get('north/rice?at=2001-01-01T00:00:00Z')).status).toBe(404);
  expect((await get('north/rice?at=then')).status).toBe(400);
});

test('nobody sees it who is no auditor of the shop', async () => {
  await bench.stock('north', [{ sku: 'salt', quantity: 1 }]);
  for (const path of ['north/salt/events', 'north/salt?at=2999-01-01T00:00:00Z']) {
    expect((await get(path, manager)).status).toBe(403);
    expect([403, 404]).toContain((await get(path, { ...auditor, shops: ['south'] })).status);
    expect((await get(path, { ...auditor, shops: ['north'] })).status).toBe(200);
  }
  expect((await get('north/never/events')).status).toBe(404);
});
