// Transfers over their routes: both ends, goods in transit, many lines with the store dying in between.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bearer, type CloudEvent, soon } from '#kit/testing/bench';
import { finishMovement } from './finish-movement.ts';
import type { Line } from './reservation.ts';
import { type Death, type InventoryBench, manager, many, startInventoryBench } from './testing/inventory-bench.ts';
import { arrivalOf, transferIdOf, transferOf } from './transfer.ts';
import type { OpenMovement } from './views.ts';

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
    await soon(
      () => bench.typesOf(transferOf(body.id).key).length === 2 && bench.typesOf(arrivalOf(body.id).key).length === 1,
    );
    expect(bench.typesOf(transferOf(body.id).key)).toEqual(['stock.dispatched', 'transfer.received']);
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
    expect([...bench.onHand(ends.shopId, tea(0)), ...bench.onHand(ends.toShopId, tea(0))]).toEqual([2, 3]);
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
    await soon(() => bench.typesOf(arrivalOf(id).key).length === 2);
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
  const lines = many(200);

  test.each<Death>(['refused', 'lost'])('are transferred once with each transaction %s in turn', async (death) => {
    const [shopId, toShopId] = [named('shop'), named('shop')];
    await bench.stock(shopId, many(200, 3));
    const transactions = await bench.killedAtEach('transfers', { shopId, toShopId, reference: 'big', lines }, death);
    expect(transactions).toBe(8); // opened and 3 chunks at each end
    expect(bench.onHand(shopId, lines)).toEqual(Array(200).fill(1));
    expect(bench.onHand(toShopId, lines)).toEqual(Array(200).fill(2));
    const id = transferIdOf(shopId, 'big');
    await soon(() => bench.typesOf(transferOf(id).key).length === 3);
    expect(bench.typesOf(transferOf(id).key)).toEqual(['transfer.opened', 'stock.dispatched', 'transfer.received']);
  });

  test('of a transfer that is short in its third chunk come back, and the reference is free again', async () => {
    const [shopId, toShopId] = [named('shop'), named('shop')];
    await bench.stock(shopId, many(199));
    const wish = { shopId, toShopId, reference: 'big', lines };
    const shortages = [{ sku: 'p-199', wanted: 2, available: 0 }];
    expect((await bench.move('transfers', wish)).body).toMatchObject({ code: 'STOCK_INSUFFICIENT', shortages });
    expect(bench.onHand(shopId, many(199))).toEqual(Array(199).fill(2));
    expect((await get(`transfers/${transferIdOf(shopId, 'big')}`)).status).toBe(404);
    await bench.stock(shopId, [{ sku: 'p-199', quantity: 2 }]);
    expect((await bench.move('transfers', wish)).status).toBe(201);
    expect(bench.onHand(shopId, lines)).toEqual(Array(200).fill(0));
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
    const keys = [transferOf(id).key, arrivalOf(id).key];
    const published = () => bench.fake.published.map(({ event }) => event as CloudEvent);
    const open = async () => {
      await bench.deliver('inventory', ...published().filter(({ data }) => keys.includes(data.stream)));
      const rows = keys.map(
        (key) => bench.views.row('movements', key) as (OpenMovement & { open: boolean }) | undefined,
      );
      return rows.filter((row) => row?.open) as OpenMovement[];
    };
    await soon(() => bench.typesOf(keys[0] ?? '').length > 0);
    const due = await open();
    expect(due.map(({ kind }) => kind)).toEqual(transaction > 5 ? ['transfer', 'arrival'] : ['transfer']);
    for (const movement of [...due, ...due]) await finishMovement(bench.service.streams, movement);
    expect([...bench.onHand(shopId, lines), ...bench.onHand(toShopId, lines)]).toEqual([
      ...Array(200).fill(0),
      ...Array(200).fill(2),
    ]);
    expect((await get(`transfers/${id}`)).body.status).toBe('received');
    await soon(() => bench.typesOf(keys[0] ?? '').includes('transfer.received'));
    expect(await open()).toEqual([]);
  });
});
