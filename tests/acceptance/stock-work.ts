// What staff do with stock: transfers, write-offs, counts, thresholds and what goods had cost, seen from outside.
import { expect, it } from '@jest/globals';
import { eventually } from '../client/eventually.ts';
import { getStock, type Page, placeOrder } from '../client/retail.ts';
import { expectProblem, expectStatus } from './expectations.ts';
import { newSku, unique } from './goods.ts';
import { OTHER_SHOP, SHOP, type World } from './world.ts';

interface Transfer {
  readonly status: string;
  readonly received: readonly { sku: string; difference: number; reason: string | null }[];
}
interface Counted {
  readonly id: string;
  readonly lines: readonly { expected: number; counted: number; difference: number; unposted: number }[];
}
interface StockReport {
  readonly onHand: number;
  readonly value: number | null;
  readonly currency: string | null;
  readonly movements: Readonly<Record<string, number>>;
}

export function stockWorkSuite(world: World): void {
  const post = <T = { id: string }>(what: string, body: unknown, gateway = world.admin, key = unique('key')) =>
    gateway.send<T>('POST', `/api/v1/inventory/${what}`, { body, key });
  const sku = (quantity: number) => newSku(world.admin, { shopId: SHOP, quantity });
  const onHand = async (shopId: string, of: string) => (await getStock(world.admin, shopId, of)).onHand;
  const transfer = (of: string, quantity: number, more: object = {}) => ({
    ...{ shopId: SHOP, toShopId: OTHER_SHOP, reference: unique('transfer'), lines: [{ sku: of, quantity }], ...more },
  });
  const sell = async (of: string, quantity: number) => {
    const lines = [{ sku: of, quantity, unitPrice: 100, discounts: [] }];
    const order = { channel: 'pos', shopId: SHOP, lines, payment: { method: 'cash' } } as const;
    return (await placeOrder(world.till(SHOP), order, unique('sale'), 10)).body;
  };
  const report = async (shopId: string, of: string) => {
    const query = { shopId, sku: of };
    const { body } = await world.admin.send<Page<StockReport>>('GET', '/api/v1/reports/stock', { query });
    return body.items[0];
  };

  it('moves goods to another shop: both read right when it answers', async () => {
    const tea = await sku(10);
    const body = transfer(tea, 4);
    const key = unique('key');
    const first = expectStatus(await post('transfers', body, world.admin, key), 201);
    expect([await onHand(SHOP, tea), await onHand(OTHER_SHOP, tea)]).toEqual([6, 4]);
    const again = expectStatus(await post('transfers', body, world.admin, key), 201);
    expect([again.body.id, again.headers['idempotent-replayed']]).toEqual([first.body.id, 'true']);
    expectProblem(await post('transfers', { ...body, lines: [{ sku: tea, quantity: 5 }] }), 409, 'REFERENCE_BOOKED');
    expectProblem(await post('transfers', transfer(tea, 7)), 409, 'STOCK_INSUFFICIENT');
    expectProblem(await post('transfers', transfer(tea, 1), world.manager), 403);
    expect([await onHand(SHOP, tea), await onHand(OTHER_SHOP, tea)]).toEqual([6, 4]);
  });

  it('keeps goods in transit until the other shop books what arrived', async () => {
    const tea = await sku(10);
    const { id } = expectStatus(await post('transfers', transfer(tea, 6, { receive: false }), world.manager), 201).body;
    expect([await onHand(SHOP, tea), await onHand(OTHER_SHOP, tea)]).toEqual([4, 0]);
    const read = async () => (await world.admin.send<Transfer>('GET', `/api/v1/inventory/transfers/${id}`)).body;
    expect((await read()).status).toBe('in_transit');
    const arrived = { lines: [{ sku: tea, received: 5, damaged: 2 }] };
    expectProblem(await post(`transfers/${id}/receipts`, arrived, world.manager), 403);
    const key = unique('key');
    for (let time = 0; time < 2; time += 1) {
      expectStatus(await post(`transfers/${id}/receipts`, arrived, world.admin, key), 201);
    }
    expect(await onHand(OTHER_SHOP, tea)).toBe(3);
    expect(await read()).toMatchObject({
      ...{ status: 'received', received: [{ sku: tea, difference: -1, reason: 'lost_in_transit' }] },
    });
    expectProblem(await post(`transfers/${id}/receipts`, {}), 409, 'TRANSFER_RECEIVED');
    await eventually(async () => {
      const [from, to] = [await report(SHOP, tea), await report(OTHER_SHOP, tea)];
      return from?.movements.transferredOut === 6 && to?.movements.transferredIn === 5 && to.movements.writtenOff === 2;
    });
  });

  it('writes goods off for a reason, and tells who did it', async () => {
    const tea = await sku(5);
    const lines = (quantity: number) => [{ sku: tea, quantity, reason: 'expired' }];
    const writeOff = (quantity: number) => ({ shopId: SHOP, reference: unique('gone'), lines: lines(quantity) });
    expectStatus(await post('write-offs', writeOff(2), world.manager), 201);
    expectProblem(await post('write-offs', writeOff(4), world.manager), 409, 'STOCK_INSUFFICIENT');
    expectProblem(await post('write-offs', { ...writeOff(1), shopId: OTHER_SHOP }, world.manager), 403);
    expectProblem(await post('write-offs', writeOff(1), world.cashier), 403);
    expect(await onHand(SHOP, tea)).toBe(3);
    const { body } = await world.admin.send<Page<{ type: string; actor: string; data: object }>>(
      ...(['GET', `/api/v1/inventory/${SHOP}/${tea}/events`] as const),
    );
    expect(body.items.at(-1)).toMatchObject({
      ...{ type: 'item.written-off', actor: expect.any(String), data: { quantity: 2, reason: 'expired' } },
    });
  });

  it('posts what a count finds, and takes no sale for a loss', async () => {
    const tea = await sku(10);
    const seen = await world.admin.send('GET', `/api/v1/inventory/${SHOP}/${tea}`);
    const itemVersion = Number(JSON.parse(String(seen.headers.etag)));
    expect((await sell(tea, 3)).status).toBe('confirmed');
    await eventually(async () => (await onHand(SHOP, tea)) === 7);
    const count = { shopId: SHOP, reference: unique('count'), lines: [{ sku: tea, counted: 9, itemVersion }] };
    const { body } = expectStatus(await post<Counted>('counts', count, world.manager), 201);
    expect(body.lines).toEqual([{ sku: tea, expected: 10, counted: 9, difference: -1, unposted: 0 }]);
    expect(expectStatus(await post<Counted>('counts', count, world.manager), 201).body).toEqual(body);
    expect(await onHand(SHOP, tea)).toBe(6);
    await eventually(async () => (await report(SHOP, tea))?.movements.counted === -1);
  });

  it('tells once that stock runs low', async () => {
    const tea = await sku(5);
    const path = `/api/v1/inventory/${SHOP}/${tea}/threshold`;
    const body = { lowStockAt: 3 };
    expectProblem(await world.manager.send('PUT', path, { body }), 428);
    const set = await world.manager.send('PUT', path, { body, headers: { 'if-match': '"0"' } });
    expect(expectStatus(set, 200).headers.etag).toBe('"1"');
    expectProblem(await world.manager.send('PUT', path, { body, headers: { 'if-match': '"0"' } }), 412);
    const orders = [await sell(tea, 1), await sell(tea, 1), await sell(tea, 1)];
    const low = await Promise.all(
      orders.map(async ({ id }) => {
        const events = await world.admin.send<Page<{ type: string }>>('GET', `/api/v1/reservations/${id}/events`);
        return events.body.items.filter(({ type }) => type === 'stock.low').length;
      }),
    );
    expect(low).toEqual([0, 1, 0]);
  });

  it('values stock at what it had cost', async () => {
    const tea = await sku(0);
    const lines = [{ sku: tea, quantity: 4, unitCost: 129 }];
    const receipt = { shopId: SHOP, reference: unique('delivery'), lines };
    expectProblem(await post('receipts', receipt), 400);
    expectStatus(await post('receipts', { ...receipt, currency: 'USD' }), 201);
    await eventually(async () => (await report(SHOP, tea))?.value === 516);
    expect(await report(SHOP, tea)).toMatchObject({ onHand: 4, currency: 'USD' });
  });
}
