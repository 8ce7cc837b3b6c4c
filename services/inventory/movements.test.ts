// Receipts and adjustments, whole or in chunks, and what is read of stock.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bearer, soon } from '#kit/testing/bench';
import { adjustmentOf } from './adjustment.ts';
import { finishMovement } from './finish-movement.ts';
import { receiptOf } from './receipt.ts';
import type { Line } from './reservation.ts';
import { type Death, type InventoryBench, manager, many, startInventoryBench } from './testing/inventory-bench.ts';

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

describe.each(['receipts', 'adjustments'] as const)('POST /inventory/%s', (kind) => {
  const good = () => ({ shopId: named('shop'), reference: 'r-1', lines: [{ sku: 'tea', quantity: 5 }] });

  test('books a reference once: the same body is answered alike, another one refused', async () => {
    const movement = good();
    const booked = await bench.move(kind, movement, named('own-key'));
    expect(booked.status).toBe(201);
    expect(booked.headers.location).toBe(`/api/v1/inventory/${kind}/${booked.body.id}`);
    const again = await bench.move(kind, movement);
    expect([again.status, again.body, again.headers['idempotent-replayed']]).toEqual([201, booked.body, 'true']);
    const more = { ...movement, lines: [{ sku: 'tea', quantity: 6 }] };
    expect((await bench.move(kind, more)).body).toMatchObject({ status: 409, code: 'REFERENCE_BOOKED' });
    expect(bench.onHand(movement.shopId, movement.lines)).toEqual([5]);
    expect((await bench.move(kind, { ...movement, reference: 'r-2' })).body.id).not.toBe(booked.body.id);
    expect(bench.onHand(movement.shopId, movement.lines)).toEqual([10]);
  });

  test('takes a key for one payload only', async () => {
    const [movement, key] = [good(), named('own-key')];
    const booked = await bench.move(kind, movement, key);
    const again = await bench.move(kind, movement, key);
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([booked.body, 'true']);
    const reused = await bench.move(kind, { ...movement, reference: 'r-2' }, key);
    expect(reused.body).toMatchObject({ status: 422, code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(bench.onHand(movement.shopId, movement.lines)).toEqual([5]);
  });

  test('books once what is sent many times at once, under one key or several', async () => {
    const [movement, key] = [good(), named('own-key')];
    const sent = [key, key, key, named('own-key'), named('own-key')].map((each) => bench.move(kind, movement, each));
    const answers = await Promise.all(sent);
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(201));
    expect(bench.onHand(movement.shopId, movement.lines)).toEqual([5]);
  });

  const seller: Bearer = { ...manager, perm: ['inventory:read'] };
  const elsewhere: Bearer = { ...manager, shops: ['elsewhere'] };
  const gold = [
    { sku: 'tea', quantity: 1 },
    { sku: 'gold', quantity: 1 },
  ];
  test.each<[string, object, number, string, Bearer]>([
    ['who may not', {}, 403, 'FORBIDDEN', seller],
    ['who may elsewhere', {}, 403, 'FORBIDDEN', elsewhere],
    ['no line', { lines: [] }, 400, 'VALIDATION_FAILED', manager],
    ['nothing of a sku', { lines: [{ sku: 'tea', quantity: 0 }] }, 400, 'VALIDATION_FAILED', manager],
    ['no reference', { reference: '' }, 400, 'VALIDATION_FAILED', manager],
    ['no such shop', { shopId: 'nowhere' }, 422, 'SHOP_UNKNOWN', manager],
    ['no such product', { lines: gold }, 422, 'PRODUCT_UNKNOWN', manager],
  ])('refuses %s', async (_, change, status, code, bearer) => {
    const movement = { ...good(), ...change };
    const before = bench.fake.keys('statestore-inventory').length;
    const sent = bench.as(bearer).post(`/api/v1/inventory/${kind}`).set('idempotency-key', named('own-key'));
    const { body } = await sent.send(movement);
    expect(body).toMatchObject({ status, code });
    if (code === 'PRODUCT_UNKNOWN') expect(body.errors).toMatchObject([{ pointer: '/lines/1/sku' }]);
    expect(bench.fake.keys('statestore-inventory')).toHaveLength(before);
  });

  test('has a limit of lines', async () => {
    const [most, lineCount] = kind === 'receipts' ? [20_000, 20_001] : [1_000, 1_001];
    const answer = await bench.move(kind, { ...good(), lines: many(lineCount) });
    expect(answer.body).toMatchObject({ status: 400, code: 'TOO_MANY_LINES', most });
  });
});

describe('2,500 lines', () => {
  test.each<Death>(['refused', 'lost'])('are received once with each transaction %s in turn', async (death) => {
    const shopId = named('shop');
    const movement = { shopId, reference: 'big', lines: many(2_500) };
    const receipt = receiptOf(shopId, 'big');
    // Opened, 3 parts of 1,000 lines in chunks of 90, booked.
    const transactions = 1 + 12 + 12 + 6 + 1;
    expect(await bench.killedAtEach('receipts', { ...movement, shopId }, death)).toBe(transactions);
    expect(bench.onHand(shopId, movement.lines)).toEqual(Array(2_500).fill(2));
    expect(bench.item(shopId, 'p-2499')?.version).toBe(1);
    const keys = [receipt.key, ...[0, 1, 2].map((part) => `receipt-part:${receipt.id}:${part}`)];
    await soon(() => keys.flatMap(bench.typesOf).length === 5);
    expect(bench.typesOf(receipt.key)).toEqual(['receipt.opened', 'receipt.booked']);
    expect(bench.published(receipt.key)[1]?.data).toMatchObject({ lines: 2_500, units: 5_000 });
    const parts = keys.slice(1).map((key) => bench.published(key));
    const lines = parts.flatMap(([event]) => (event?.data as { lines: Line[] } | undefined)?.lines ?? []);
    expect(lines.map(({ sku }) => sku)).toEqual(movement.lines.map(({ sku }) => sku));
  }, 20_000);

  test('left alone half-way are finished by the sweep', async () => {
    const shopId = named('shop');
    const lines = many(200);
    bench.dieAt(3, 'refused');
    expect((await bench.move('receipts', { shopId, reference: 'r', lines })).status).toBe(503);
    bench.revive();
    expect(bench.onHand(shopId, lines)).toContain(undefined);
    const open = { id: receiptOf(shopId, 'r').key, kind: 'receipt', shop_id: shopId, reference: 'r' } as const;
    await finishMovement(bench.service.streams, open);
    await finishMovement(bench.service.streams, open);
    expect(bench.onHand(shopId, lines)).toEqual(Array(200).fill(2));
    await soon(() => bench.typesOf(receiptOf(shopId, 'r').key).includes('receipt.booked'));
  });
});

describe('an adjustment', () => {
  test('takes and adds, all lines or none, never what is not there', async () => {
    const shopId = named('shop');
    await bench.stock(shopId, [
      { sku: 'a', quantity: 5 },
      { sku: 'b', quantity: 5 },
    ]);
    const lines = (a: number, b: number) => ({
      lines: [
        { sku: 'a', quantity: a },
        { sku: 'b', quantity: b },
      ],
    });
    const short = await bench.move('adjustments', { shopId, reference: 'count', ...lines(7, -6) });
    const shortages = [{ sku: 'b', wanted: -6, available: 5 }];
    expect(short.body).toMatchObject({ status: 409, code: 'STOCK_INSUFFICIENT', shortages });
    expect(bench.onHand(shopId, lines(0, 0).lines)).toEqual([5, 5]);
    const counted = { shopId, reference: 'count', reason: 'Counted', ...lines(7, -5) };
    expect((await bench.move('adjustments', counted)).status).toBe(201);
    expect(bench.onHand(shopId, lines(0, 0).lines)).toEqual([12, 0]);
    const [adjusted] = bench.published(adjustmentOf(shopId, 'count').key);
    expect(adjusted).toMatchObject({ type: 'stock.adjusted', partitionKey: shopId, data: { reason: 'Counted' } });
  });

  test('may name a sku twice', async () => {
    const shopId = named('shop');
    const lines = [4, -3].map((quantity) => ({ sku: 'a', quantity }));
    expect((await bench.move('adjustments', { shopId, reference: 'r', lines })).status).toBe(201);
    expect(bench.onHand(shopId, lines)).toEqual([1, 1]);
  });

  test.each<Death>([
    'refused',
    'lost',
  ])('of 200 lines is booked once with each transaction %s in turn', async (death) => {
    const shopId = named('shop');
    const lines = many(200, 3);
    await bench.stock(shopId, many(200));
    // Opened, 3 chunks.
    expect(await bench.killedAtEach('adjustments', { shopId, reference: 'big', lines }, death)).toBe(4);
    expect(bench.onHand(shopId, lines)).toEqual(Array(200).fill(5));
    await soon(() => bench.typesOf(adjustmentOf(shopId, 'big').key).length === 2);
    expect(bench.typesOf(adjustmentOf(shopId, 'big').key)).toEqual(['adjustment.opened', 'stock.adjusted']);
  });

  test('that is short in its second chunk is walked back, and its reference free again', async () => {
    const shopId = named('shop');
    await bench.stock(shopId, many(95));
    const lines = [{ sku: 'new', quantity: 9 }, ...many(96, -1)];
    const body = { shopId, reference: 'count', lines };
    const shortages = [{ sku: 'p-95', wanted: -1, available: 0 }];
    expect((await bench.move('adjustments', body)).body).toMatchObject({ code: 'STOCK_INSUFFICIENT', shortages });
    expect(bench.onHand(shopId, many(95))).toEqual(Array(95).fill(2));
    expect(bench.item(shopId, 'new')).toBeUndefined();
    await bench.stock(shopId, [{ sku: 'p-95', quantity: 1 }]);
    expect((await bench.move('adjustments', body)).status).toBe(201);
    expect(bench.onHand(shopId, [...many(96), ...lines.slice(0, 1)])).toEqual([...Array(95).fill(1), 0, 9]);
    const [opened, booked] = ['adjustment.opened', 'stock.adjusted'];
    expect(bench.typesOf(adjustmentOf(shopId, 'count').key)).toEqual([opened, 'adjustment.refused', opened, booked]);
  });
});

describe('GET /inventory', () => {
  const get = (path: string, bearer = manager) => bench.as(bearer).get(`/api/v1/inventory/${path}`);

  test('shows what is stored now, nothing of what never was, and no unknown sku', async () => {
    const shopId = named('shop');
    await bench.stock(shopId, [{ sku: 'a b', quantity: 5 }]);
    const tea = { shopId, sku: 'a b', onHand: 5, reserved: 0, available: 5 };
    const never = { shopId, sku: 'never', onHand: 0, reserved: 0, available: 0 };
    expect((await get(`${shopId}/a%20b`)).body).toEqual(tea);
    expect((await get(`${shopId}/never`)).body).toEqual(never);
    expect((await get(`${shopId}/gold`)).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await get('nowhere/never')).body).toMatchObject({ code: 'NOT_FOUND' });
    const { body } = await get(`${shopId}?sku=never&sku=gold&sku=a%20b`);
    expect(body).toEqual({ items: [never, tea], next: null });
    expect((await get(`${shopId}/never`, { ...manager, shops: ['other'] })).status).toBe(403);
    expect((await get(shopId, { ...manager, shops: ['other'] })).status).toBe(403);
  });

  test('lists a shop by sku, page by page', async () => {
    const row = (sku: string) => ({ sku, on_hand: 5, reserved: 2 });
    bench.views.find = () => ['a', 'b'].map(row);
    const { body } = await get('north?limit=1');
    expect(body.items).toEqual([{ shopId: 'north', sku: 'a', onHand: 5, reserved: 2, available: 3 }]);
    bench.views.find = () => [row('b')];
    expect((await get(`north?limit=1&cursor=${body.next}`)).body).toMatchObject({ items: [{ sku: 'b' }], next: null });
    const listed = bench.views.queries.filter(({ sql }) => sql.includes('from stock'));
    expect(listed.map(({ params }) => params)).toEqual([
      ['north', '', 2],
      ['north', 'a', 2],
    ]);
  });

  test('answers order early which lines cannot be served', async () => {
    const shopId = named('shop');
    await bench.stock(shopId, [{ sku: 'a', quantity: 5 }]);
    const lines = ['a', 'b', 'a'].map((sku) => ({ sku, quantity: 3 }));
    const { body } = await bench.as().post('/internal/availability').send({ shopId, lines });
    const [a, b] = [
      { sku: 'a', wanted: 6, available: 5 },
      { sku: 'b', wanted: 3, available: 0 },
    ];
    expect(body).toEqual({ shortages: [a, b] });
  });
});
