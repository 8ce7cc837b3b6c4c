// Write-offs, counts and thresholds over their routes, whole or in chunks, with the store dying in between.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { soon } from '#kit/testing/bench';
import { countOf } from './count.ts';
import { finishMovement } from './finish-movement.ts';
import {
  type Death,
  eventsOf,
  type InventoryBench,
  manager,
  many,
  startInventoryBench,
} from './testing/inventory-bench.ts';
import { thresholdOf } from './threshold.ts';
import { writeOffOf } from './write-off.ts';

let bench: InventoryBench;
beforeAll(async () => {
  bench = await startInventoryBench();
});
afterEach(() => {
  bench.revive();
});
afterAll(() => bench.close());

let names = 0;
const named = (what: string) => `${what}-${++names}`;
const dataOf = (key: string, type: string) => bench.published(key).find((each) => each.type === type)?.data;
const get = (path: string) => bench.as(manager).get(`/api/v1/inventory/${path}`);

/** A shop with five of tea. */
async function shop(): Promise<string> {
  const shopId = named('shop');
  await bench.stock(shopId, tea(5));
  return shopId;
}
const tea = (quantity: number) => [{ sku: 'tea', quantity }];

describe('200 lines', () => {
  const lines = many(200);

  test.each<Death>(['refused', 'lost'])('are written off and counted once with each transaction %s', async (death) => {
    const shopId = named('shop');
    await bench.stock(shopId, many(200, 5));
    const gone = lines.map((line) => ({ ...line, reason: 'expired' }));
    expect(await bench.killedAtEach('write-offs', { shopId, reference: 'big', lines: gone }, death)).toBe(4);
    expect(bench.onHand(shopId, lines)).toEqual(Array(200).fill(3));
    const counted = lines.map(({ sku }) => ({ sku, counted: 4 }));
    expect(await bench.killedAtEach('counts', { shopId, reference: 'big', lines: counted }, death)).toBe(4);
    expect(bench.onHand(shopId, lines)).toEqual(Array(200).fill(4));
    expect(bench.item(shopId, 'p-0')).toMatchObject({ version: 3, writtenOff: 2, counted: 1 });
  });

  test.each([
    ['write-off', { reason: 'stolen', quantity: 2 }, 0, writeOffOf],
    ['count', { counted: 1 }, 1, countOf],
  ] as const)('of a %s left alone half-way are finished by the sweep', async (kind, line, left, streamFor) => {
    const shopId = named('shop');
    await bench.stock(shopId, lines);
    bench.dieAt(3, 'refused');
    const body = { shopId, reference: 'big', lines: lines.map(({ sku }) => ({ sku, ...line })) };
    expect((await bench.move(`${kind}s`, body)).status).toBe(503);
    bench.revive();
    await finishMovement(bench.service.streams, {
      id: streamFor(shopId, 'big').key,
      kind,
      shop_id: shopId,
      reference: 'big',
    });
    expect(bench.onHand(shopId, lines)).toEqual(Array(200).fill(left));
    expect((await bench.move(`${kind}s`, body)).headers['idempotent-replayed']).toBe('true');
  });
});

describe('POST /inventory/write-offs', () => {
  test('takes what is available, with its reason, never what is promised', async () => {
    const shopId = await shop();
    await bench.deliver('orders', eventsOf({ orderId: named('o'), shopId, lines: tea(2) }).placed);
    const lines = (quantity: number) => [{ sku: 'tea', quantity, reason: 'damaged' }];
    const short = await bench.move('write-offs', { shopId, reference: 'w', lines: lines(4) });
    expect(short.body).toMatchObject({ code: 'STOCK_INSUFFICIENT', shortages: [{ wanted: 4, available: 3 }] });
    expect((await bench.move('write-offs', { shopId, reference: 'w', lines: lines(3), note: 'Wet' })).status).toBe(201);
    expect(bench.item(shopId, 'tea')).toMatchObject({ onHand: 2, reserved: 2, writtenOff: 3 });
    const told = { note: 'Wet', lines: [{ sku: 'tea', quantity: 3, reason: 'damaged', onHand: 2 }] };
    await soon(() => bench.typesOf(writeOffOf(shopId, 'w').key).length === 1);
    expect(dataOf(writeOffOf(shopId, 'w').key, 'stock.written-off')).toMatchObject(told);
  });

  test('wants a reason that it knows, and each sku once', async () => {
    const write = (...lines: object[]) => bench.move('write-offs', { shopId: 'north', reference: named('w'), lines });
    expect((await write({ sku: 'tea', quantity: 1 })).status).toBe(400);
    expect((await write({ sku: 'tea', quantity: 1, reason: 'eaten' })).status).toBe(400);
    const line = { sku: 'tea', quantity: 1, reason: 'stolen' };
    expect((await write(line, { ...line, reason: 'damaged' })).body).toMatchObject({ code: 'DUPLICATE_LINES' });
  });
});

describe('POST /inventory/counts', () => {
  const sell = async (shopId: string, quantity: number) => {
    const order = eventsOf({ orderId: named('o'), shopId, lines: tea(quantity), settled: true });
    await bench.deliver('orders', order.placed);
    await bench.deliver('orders', order.confirmed);
  };
  const count = (shopId: string, counted: number, more: object = {}) =>
    bench.move('counts', { shopId, reference: named('c'), lines: [{ sku: 'tea', counted, ...more }] });
  const versionOf = async (shopId: string) => Number(JSON.parse((await get(`${shopId}/tea`)).headers.etag ?? '""'));

  test('posts and answers the differences, zero too', async () => {
    const shopId = await shop();
    const lines = [
      { sku: 'tea', counted: 3 },
      { sku: 'mug', counted: 2 },
      { sku: 'cup', counted: 0 },
    ];
    const { status, body } = await bench.move('counts', { shopId, reference: 'c', lines });
    expect([status, body.lines]).toEqual([
      201,
      [
        { sku: 'tea', expected: 5, counted: 3, difference: -2, unposted: 0 },
        { sku: 'mug', expected: 0, counted: 2, difference: 2, unposted: 0 },
        { sku: 'cup', expected: 0, counted: 0, difference: 0, unposted: 0 },
      ],
    ]);
    expect(bench.onHand(shopId, [...tea(0), { sku: 'mug', quantity: 0 }])).toEqual([3, 2]);
    const again = await bench.move('counts', { shopId, reference: 'c', lines });
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([body, 'true']);
  });

  test('does not take what was sold since the counter looked for a loss', async () => {
    const shopId = await shop();
    const itemVersion = await versionOf(shopId);
    await sell(shopId, 2);
    expect((await count(shopId, 5, { itemVersion })).body.lines).toMatchObject([{ expected: 5, difference: 0 }]);
    expect(bench.item(shopId, 'tea')).toMatchObject({ onHand: 3 });
    // Without the version it is held against the record as it is.
    expect((await count(shopId, 5)).body.lines).toMatchObject([{ expected: 3, difference: 2 }]);
    // The same old look again: what the count above has posted is not posted once more.
    expect((await count(shopId, 7, { itemVersion })).body.lines).toMatchObject([{ expected: 7, difference: 0 }]);
  });

  test('knows also a version whose events have left the document', async () => {
    const shopId = await shop();
    const itemVersion = await versionOf(shopId);
    for (let n = 0; n < 30; n += 1) await bench.stock(shopId, tea(1));
    expect((await count(shopId, 4, { itemVersion })).body.lines).toMatchObject([{ expected: 5, difference: -1 }]);
    expect(bench.item(shopId, 'tea')).toMatchObject({ onHand: 34 });
  });

  test('refuses a version that never was', async () => {
    const shopId = await shop();
    const { body } = await count(shopId, 5, { itemVersion: 99 });
    expect(body).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ pointer: '/lines/0/itemVersion' }] });
  });

  test('leaves on record what is promised to orders', async () => {
    const shopId = await shop();
    await bench.deliver('orders', eventsOf({ orderId: named('o'), shopId, lines: tea(3) }).placed);
    const { body } = await count(shopId, 1);
    expect(body.lines).toMatchObject([{ expected: 5, counted: 1, difference: -2, unposted: 2 }]);
    expect(bench.item(shopId, 'tea')).toMatchObject({ onHand: 3, reserved: 3 });
  });
});

describe('PUT /inventory/:shopId/:sku/threshold', () => {
  const put = (shopId: string, lowStockAt: unknown, held?: number, sku = 'tea') => {
    const sent = bench.as(manager).put(`/api/v1/inventory/${shopId}/${sku}/threshold`);
    return (held === undefined ? sent : sent.set('if-match', `"${held}"`)).send({ lowStockAt });
  };

  test('keeps a record of its own, which no sale makes stale', async () => {
    const shopId = await shop();
    expect((await put(shopId, 2)).status).toBe(428);
    expect((await put(shopId, 2, 7)).status).toBe(412);
    const none = await get(`${shopId}/tea/threshold`);
    expect([none.body.lowStockAt, none.headers.etag]).toEqual([null, '"0"']);
    const set = await put(shopId, 2, 0);
    expect([set.status, set.body, set.headers.etag]).toEqual([200, { shopId, sku: 'tea', lowStockAt: 2 }, '"1"']);
    await bench.stock(shopId, tea(1));
    expect((await put(shopId, 3, 0)).body).toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect((await put(shopId, null, 1)).headers.etag).toBe('"2"');
    expect((await get(`${shopId}/tea/threshold`)).body.lowStockAt).toBe(null);
    expect((await put(shopId, -1, 2)).status).toBe(400);
    expect((await put(shopId, 1, 0, 'gold')).status).toBe(404);
    expect((await put('nowhere', 1, 0)).status).toBe(404);
  });

  test('tells once that stock is low, with the order that took it, and again after it rose', async () => {
    const shopId = await shop();
    await put(shopId, 2, 0);
    const orders = [named('o'), named('o'), named('o')];
    const [a, b, c] = orders.map((orderId) => eventsOf({ orderId, shopId, lines: tea(2) }).placed);
    const low = (orderId?: string) => dataOf(`reservation:${orderId}`, 'stock.low');
    if (!a || !b || !c) throw new Error('three orders');
    await bench.deliver('orders', a); // 3 left
    await bench.deliver('orders', b); // 1 left
    await bench.deliver('orders', b);
    expect([low(orders[0]), low(orders[1])]).toMatchObject([
      undefined,
      { lines: [{ sku: 'tea', available: 1, lowStockAt: 2 }] },
    ]);
    expect(bench.typesOf(`reservation:${orders[1]}`)).toEqual(['stock.reserved', 'stock.low']);
    await bench.move('write-offs', { shopId, reference: 'w', lines: [{ sku: 'tea', quantity: 1, reason: 'expired' }] });
    expect(bench.typesOf(writeOffOf(shopId, 'w').key)).toEqual(['stock.written-off']);
    await bench.stock(shopId, tea(4));
    await bench.deliver('orders', c);
    expect(low(orders[2])).toMatchObject({ lines: [{ available: 2 }] });
  });

  test('tells at once what is low already', async () => {
    const shopId = await shop();
    await put(shopId, 9, 0);
    await soon(() => bench.typesOf(thresholdOf(shopId, 'tea').key).length === 2);
    expect(bench.typesOf(thresholdOf(shopId, 'tea').key)).toEqual(['stock.threshold-set', 'stock.low']);
  });
});

describe('a receipt with cost', () => {
  test('tells what a unit had cost, and wants the currency with it', async () => {
    const shopId = named('shop');
    const lines = [
      { sku: 'tea', quantity: 2, unitCost: 129 },
      { sku: 'mug', quantity: 1 },
    ];
    const receipt = { shopId, reference: 'r', lines };
    expect((await bench.move('receipts', receipt)).body).toMatchObject({ errors: [{ pointer: '/currency' }] });
    expect((await bench.move('receipts', { ...receipt, currency: 'XXX' })).status).toBe(400);
    expect((await bench.move('receipts', { ...receipt, currency: 'USD' })).status).toBe(201);
    const part = bench.fake.published.map(({ event }) => event as { data: { stream: string } });
    const key = part.find(
      ({ data }) => data.stream.startsWith('receipt-part:') && JSON.stringify(data).includes(shopId),
    )?.data.stream;
    expect(dataOf(key ?? '', 'stock.received')).toMatchObject({
      currency: 'USD',
      lines: [{ unitCost: 129 }, { sku: 'mug' }],
    });
  });
});
