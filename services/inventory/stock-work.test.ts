// Transfers, write-offs, counts and thresholds over their routes, whole or in chunks, with the store dying in between.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bearer, soon } from '#kit/testing/bench';
import { countOf } from './count.ts';
import { finishMovement } from './finish-movement.ts';
import type { Line } from './reservation.ts';
import {
  type Death,
  eventsOf,
  type InventoryBench,
  type MovementKind,
  manager,
  startInventoryBench,
} from './testing/inventory-bench.ts';
import { thresholdOf } from './threshold.ts';
import { arrivalOf, transferIdOf, transferOf } from './transfer.ts';
import type { OpenMovement } from './views.ts';
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
const many = (count: number, quantity = 2): Line[] =>
  Array.from({ length: count }, (_, n) => ({ sku: `p-${n}`, quantity }));
const typesOf = (key: string) => bench.published(key).map(({ type }) => type);
const dataOf = (key: string, type: string) => bench.published(key).find((each) => each.type === type)?.data;
/** On hand of each sku, as stored. */
const onHand = (shopId: string, lines: readonly Line[]) => lines.map(({ sku }) => bench.item(shopId, sku)?.onHand);
const get = (path: string, bearer: Bearer = manager) => bench.as(bearer).get(`/api/v1/inventory/${path}`);

/** Two shops, the first with five of tea. */
async function shops() {
  const [shopId, toShopId] = [named('shop'), named('shop')];
  await bench.stock(shopId, [{ sku: 'tea', quantity: 5 }]);
  return { shopId, toShopId };
}
const tea = (quantity: number) => [{ sku: 'tea', quantity }];

describe('POST /inventory/transfers', () => {
  test('books both ends', async () => {
    const ends = await shops();
    const { status, body, headers } = await bench.move('transfers', { ...ends, reference: 't', lines: tea(2) });
    expect([status, headers.location]).toEqual([201, `/api/v1/inventory/transfers/${body.id}`]);
    expect(bench.item(ends.shopId, 'tea')).toMatchObject({ onHand: 3, transferredOut: 2 });
    expect(bench.item(ends.toShopId, 'tea')).toMatchObject({ onHand: 2, transferredIn: 2 });
    const shown = await get(`transfers/${body.id}`);
    expect(shown.body).toMatchObject({ ...ends, status: 'received', received: [{ sku: 'tea', sent: 2, received: 2 }] });
    await soon(() => typesOf(transferOf(body.id).key).length === 2 && typesOf(arrivalOf(body.id).key).length === 1);
    expect(typesOf(transferOf(body.id).key)).toEqual(['stock.dispatched', 'transfer.received']);
    expect(bench.published(arrivalOf(body.id).key)).toMatchObject([
      { type: 'stock.arrived', partitionKey: ends.toShopId, data: { shopId: ends.toShopId } },
    ]);
  });

  test('books a reference once, and nothing of what is short', async () => {
    const ends = await shops();
    const wish = { ...ends, reference: 't', lines: tea(3) };
    const first = await bench.move('transfers', wish);
    const again = await bench.move('transfers', wish);
    expect([again.status, again.body, again.headers['idempotent-replayed']]).toEqual([201, first.body, 'true']);
    expect((await bench.move('transfers', { ...wish, lines: tea(1) })).body).toMatchObject({
      code: 'REFERENCE_BOOKED',
    });
    const short = await bench.move('transfers', { ...wish, reference: 'u' });
    const shortages = [{ sku: 'tea', wanted: 3, available: 2 }];
    expect(short.body).toMatchObject({ status: 409, code: 'STOCK_INSUFFICIENT', shortages });
    expect([...onHand(ends.shopId, tea(0)), ...onHand(ends.toShopId, tea(0))]).toEqual([2, 3]);
  });

  const only = (...held: string[]): Bearer => ({ ...manager, shops: held });
  test('asks for the right in every shop whose stock it books', async () => {
    const { shopId, toShopId } = await shops();
    const send = (bearer: Bearer, more: object = {}) =>
      bench
        .as(bearer)
        .post('/api/v1/inventory/transfers')
        .set('idempotency-key', named('key'))
        .send({
          ...{ shopId, toShopId, reference: named('t'), lines: tea(1), ...more },
        });
    expect((await send(only(shopId))).status).toBe(403);
    expect((await send(only(toShopId), { receive: false })).status).toBe(403);
    expect((await send(only(shopId, toShopId))).status).toBe(201);
    const { status, body } = await send(only(shopId), { receive: false });
    expect(status).toBe(201);
    expect((await get(`transfers/${body.id}`, only(toShopId))).status).toBe(200);
    expect((await get(`transfers/${body.id}`, only('elsewhere'))).status).toBe(404);
    const receive = (bearer: Bearer) =>
      bench.as(bearer).post(`/api/v1/inventory/transfers/${body.id}/receipts`).set('idempotency-key', named('key'));
    expect((await receive(only('elsewhere'))).status).toBe(404);
    expect((await receive(only(shopId))).status).toBe(403);
    expect((await receive(only(toShopId))).status).toBe(201);
  });

  test.each<[string, object, number, string]>([
    ['to itself', { toShopId: 'north' }, 400, 'VALIDATION_FAILED'],
    ['to a shop that does not exist', { toShopId: 'nowhere' }, 422, 'SHOP_UNKNOWN'],
    ['of what does not exist', { lines: [{ sku: 'gold', quantity: 1 }] }, 422, 'PRODUCT_UNKNOWN'],
    ['of nothing', { lines: tea(0) }, 400, 'VALIDATION_FAILED'],
    ['of too many lines', { lines: many(1_001) }, 400, 'TOO_MANY_LINES'],
  ])('refuses one %s', async (_, more, status, code) => {
    const wish = { shopId: 'north', toShopId: 'south', reference: named('t'), lines: tea(1), ...more };
    expect((await bench.move('transfers', wish)).body).toMatchObject({ status, code });
  });
});

describe('goods in transit', () => {
  async function sent(lines: readonly Line[] = tea(4)) {
    const [shopId, toShopId] = [named('shop'), named('shop')];
    await bench.stock(shopId, lines);
    const { body } = await bench.move('transfers', { shopId, toShopId, reference: 't', lines, receive: false });
    return { id: body.id as string, shopId, toShopId };
  }
  const receive = (id: string, lines?: readonly object[], key = named('key')) =>
    bench
      .as(manager)
      .post(`/api/v1/inventory/transfers/${id}/receipts`)
      .set('idempotency-key', key)
      .send(lines && { lines });

  test('are in neither shop until they are received', async () => {
    const { id, shopId, toShopId } = await sent();
    expect([bench.item(shopId, 'tea')?.onHand, bench.item(toShopId, 'tea')]).toEqual([0, undefined]);
    expect((await get(`transfers/${id}`)).body).toMatchObject({ status: 'in_transit', received: [], receivedAt: null });
    expect((await receive(id)).status).toBe(201);
    expect(bench.item(toShopId, 'tea')).toMatchObject({ onHand: 4, transferredIn: 4 });
  });

  test('may arrive short, damaged and with what was not sent', async () => {
    const { id, toShopId } = await sent();
    const lines = [
      { sku: 'tea', received: 3, damaged: 1 },
      { sku: 'mug', received: 2 },
    ];
    expect((await receive(id, lines)).status).toBe(201);
    expect(bench.item(toShopId, 'tea')).toMatchObject({ onHand: 2, transferredIn: 3, writtenOff: 1 });
    expect(bench.item(toShopId, 'mug')).toMatchObject({ onHand: 2, transferredIn: 2 });
    const { body } = await get(`transfers/${id}`);
    expect(body.received).toEqual([
      { sku: 'tea', sent: 4, received: 3, damaged: 1, difference: -1, reason: 'lost_in_transit' },
      { sku: 'mug', sent: 0, received: 2, damaged: 0, difference: 2, reason: 'surplus' },
    ]);
    await soon(() => typesOf(arrivalOf(id).key).length === 2);
    expect(dataOf(arrivalOf(id).key, 'stock.written-off')).toMatchObject({
      lines: [{ sku: 'tea', quantity: 1, reason: 'damaged', onHand: 2 }],
    });
  });

  test('are received once: the same lines are answered alike, others refused', async () => {
    const { id, toShopId } = await sent();
    const lines = [{ sku: 'tea', received: 4 }];
    const answers = await Promise.all([receive(id, lines), receive(id, lines), receive(id, lines)]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect((await receive(id, [{ sku: 'tea', received: 3 }])).body).toMatchObject({
      status: 409,
      code: 'TRANSFER_RECEIVED',
    });
    expect(bench.item(toShopId, 'tea')).toMatchObject({ onHand: 4, transferredIn: 4 });
  });

  test.each<[string, object[], number, string]>([
    ['does not name what was sent', [{ sku: 'mug', received: 1 }], 400, 'VALIDATION_FAILED'],
    ['names it twice', Array(2).fill({ sku: 'tea', received: 2 }), 400, 'DUPLICATE_LINES'],
    ['has more damaged than arrived', [{ sku: 'tea', received: 2, damaged: 3 }], 400, 'VALIDATION_FAILED'],
    [
      'names what does not exist',
      [
        { sku: 'tea', received: 4 },
        { sku: 'gold', received: 1 },
      ],
      422,
      'PRODUCT_UNKNOWN',
    ],
  ])('are not received by a body that %s', async (_, lines, status, code) => {
    const { id, toShopId } = await sent();
    expect((await receive(id, lines)).body).toMatchObject({ status, code });
    expect(bench.item(toShopId, 'tea')).toBeUndefined();
  });

  test('cannot be received before they were sent', async () => {
    expect((await receive(transferIdOf('north', 'never'))).body).toMatchObject({ code: 'NOT_FOUND' });
    expect((await receive('x')).body).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('200 lines', () => {
  /** Sends it again and again, the store dying at the first transaction that is left each time. Answers how often. */
  async function killedAtEach(kind: MovementKind, movement: object, death: Death): Promise<number> {
    const next = death === 'refused' ? 2 : 1;
    const key = named('killed');
    for (let deaths = 0; ; deaths += 1) {
      bench.dieAt(deaths === 0 ? 1 : next, death);
      const answer = await bench.move(kind, movement, key);
      if (!bench.revive()) {
        expect(answer.status).toBe(201);
        return deaths;
      }
      if (death === 'lost' && answer.status === 201) return deaths + 1; // an answer that got lost at the very end
      expect(answer.status).toBe(503);
    }
  }
  const lines = many(200);

  test.each<Death>(['refused', 'lost'])('are transferred once with each transaction %s in turn', async (death) => {
    const [shopId, toShopId] = [named('shop'), named('shop')];
    await bench.stock(shopId, many(200, 3));
    const transactions = await killedAtEach('transfers', { shopId, toShopId, reference: 'big', lines }, death);
    expect(transactions).toBe(8); // opened and 3 chunks at each end
    expect(onHand(shopId, lines)).toEqual(Array(200).fill(1));
    expect(onHand(toShopId, lines)).toEqual(Array(200).fill(2));
    const id = transferIdOf(shopId, 'big');
    await soon(() => typesOf(transferOf(id).key).length === 3);
    expect(typesOf(transferOf(id).key)).toEqual(['transfer.opened', 'stock.dispatched', 'transfer.received']);
  });

  test('of a transfer that is short in its third chunk come back, and the reference is free again', async () => {
    const [shopId, toShopId] = [named('shop'), named('shop')];
    await bench.stock(shopId, many(199));
    const wish = { shopId, toShopId, reference: 'big', lines };
    const shortages = [{ sku: 'p-199', wanted: 2, available: 0 }];
    expect((await bench.move('transfers', wish)).body).toMatchObject({ code: 'STOCK_INSUFFICIENT', shortages });
    expect(onHand(shopId, many(199))).toEqual(Array(199).fill(2));
    expect((await get(`transfers/${transferIdOf(shopId, 'big')}`)).status).toBe(404);
    await bench.stock(shopId, [{ sku: 'p-199', quantity: 2 }]);
    expect((await bench.move('transfers', wish)).status).toBe(201);
    expect(onHand(shopId, lines)).toEqual(Array(200).fill(0));
  });

  // The store dies at these transactions: while it is opened and sent, between both ends, while it arrives.
  test.each([
    2, 4, 5, 6, 8,
  ])('of a transfer left alone at transaction %i are finished by the sweep', async (transaction) => {
    const [shopId, toShopId] = [named('shop'), named('shop')];
    await bench.stock(shopId, lines);
    bench.dieAt(transaction, 'refused');
    expect((await bench.move('transfers', { shopId, toShopId, reference: 'big', lines })).status).toBe(503);
    bench.revive();
    const id = transferIdOf(shopId, 'big');
    const open: OpenMovement = { id: transferOf(id).key, kind: 'transfer', shop_id: shopId, reference: 'big' };
    await finishMovement(bench.service.streams, open);
    await finishMovement(bench.service.streams, open);
    expect([...onHand(shopId, lines), ...onHand(toShopId, lines)]).toEqual([
      ...Array(200).fill(0),
      ...Array(200).fill(2),
    ]);
    expect((await get(`transfers/${id}`)).body.status).toBe('received');
  });

  test.each<Death>(['refused', 'lost'])('are written off and counted once with each transaction %s', async (death) => {
    const shopId = named('shop');
    await bench.stock(shopId, many(200, 5));
    const gone = lines.map((line) => ({ ...line, reason: 'expired' }));
    expect(await killedAtEach('write-offs', { shopId, reference: 'big', lines: gone }, death)).toBe(4);
    expect(onHand(shopId, lines)).toEqual(Array(200).fill(3));
    const counted = lines.map(({ sku }) => ({ sku, counted: 4 }));
    expect(await killedAtEach('counts', { shopId, reference: 'big', lines: counted }, death)).toBe(4);
    expect(onHand(shopId, lines)).toEqual(Array(200).fill(4));
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
    expect(onHand(shopId, lines)).toEqual(Array(200).fill(left));
    expect((await bench.move(`${kind}s`, body)).headers['idempotent-replayed']).toBe('true');
  });
});

describe('POST /inventory/write-offs', () => {
  test('takes what is available, with its reason, never what is promised', async () => {
    const { shopId } = await shops();
    await bench.deliver('orders', eventsOf({ orderId: named('o'), shopId, lines: tea(2) }).placed);
    const lines = (quantity: number) => [{ sku: 'tea', quantity, reason: 'damaged' }];
    const short = await bench.move('write-offs', { shopId, reference: 'w', lines: lines(4) });
    expect(short.body).toMatchObject({ code: 'STOCK_INSUFFICIENT', shortages: [{ wanted: 4, available: 3 }] });
    expect((await bench.move('write-offs', { shopId, reference: 'w', lines: lines(3), note: 'Wet' })).status).toBe(201);
    expect(bench.item(shopId, 'tea')).toMatchObject({ onHand: 2, reserved: 2, writtenOff: 3 });
    const told = { note: 'Wet', lines: [{ sku: 'tea', quantity: 3, reason: 'damaged', onHand: 2 }] };
    await soon(() => typesOf(writeOffOf(shopId, 'w').key).length === 1);
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
    const { shopId } = await shops();
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
    expect(onHand(shopId, [...tea(0), { sku: 'mug', quantity: 0 }])).toEqual([3, 2]);
    const again = await bench.move('counts', { shopId, reference: 'c', lines });
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([body, 'true']);
  });

  test('does not take what was sold since the counter looked for a loss', async () => {
    const { shopId } = await shops();
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
    const { shopId } = await shops();
    const itemVersion = await versionOf(shopId);
    for (let n = 0; n < 30; n += 1) await bench.stock(shopId, tea(1));
    expect((await count(shopId, 4, { itemVersion })).body.lines).toMatchObject([{ expected: 5, difference: -1 }]);
    expect(bench.item(shopId, 'tea')).toMatchObject({ onHand: 34 });
  });

  test('refuses a version that never was', async () => {
    const { shopId } = await shops();
    const { body } = await count(shopId, 5, { itemVersion: 99 });
    expect(body).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ pointer: '/lines/0/itemVersion' }] });
  });

  test('leaves on record what is promised to orders', async () => {
    const { shopId } = await shops();
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
    const { shopId } = await shops();
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
    const { shopId } = await shops();
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
    expect(typesOf(`reservation:${orders[1]}`)).toEqual(['stock.reserved', 'stock.low']);
    await bench.move('write-offs', { shopId, reference: 'w', lines: [{ sku: 'tea', quantity: 1, reason: 'expired' }] });
    expect(typesOf(writeOffOf(shopId, 'w').key)).toEqual(['stock.written-off']);
    await bench.stock(shopId, tea(4));
    await bench.deliver('orders', c);
    expect(low(orders[2])).toMatchObject({ lines: [{ available: 2 }] });
  });

  test('tells at once what is low already', async () => {
    const { shopId } = await shops();
    await put(shopId, 9, 0);
    await soon(() => typesOf(thresholdOf(shopId, 'tea').key).length === 2);
    expect(typesOf(thresholdOf(shopId, 'tea').key)).toEqual(['stock.threshold-set', 'stock.low']);
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
