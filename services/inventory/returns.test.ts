// What goods that came back do to stock, by deliveries: doubled, in the wrong order, and in baskets of many chunks.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CHUNK } from './chunks.ts';
import { eventsOf, type InventoryBench, startInventoryBench } from './testing/inventory-bench.ts';

let bench: InventoryBench;
beforeAll(async () => {
  bench = await startInventoryBench();
});
afterEach(() => {
  bench.fake.intercept = undefined;
  bench.fake.apps.delete('order');
});
afterAll(() => bench.close());

let orders = 0;
/** A confirmed order of so many different skus, four of ten in stock each. */
async function sold(skus = 2) {
  const orderId = crypto.randomUUID();
  const returnId = crypto.randomUUID();
  orders += 1;
  const lines = Array.from({ length: skus }, (_, n) => ({ sku: `r-${orders}-${n}`, quantity: 4 }));
  await bench.stock(
    'north',
    lines.map(({ sku }) => ({ sku, quantity: 10 })),
  );
  const order = eventsOf({ orderId, lines });
  const shelf = (n = 0) => {
    const { onHand, reserved, sold: gone } = bench.item('north', `r-${orders}-${n}`) ?? {};
    return [onHand, reserved, gone];
  };
  const sku = (n: number) => `r-${orders}-${n}`;
  const told = () => bench.published(`return:${returnId}`);
  return { ...order, orderId, returnId, lines, shelf, sku, told };
}
const sellable = (sku: string, quantity: number) => ({ sku, quantity, condition: 'sellable' }) as const;
const damaged = (sku: string, quantity: number) => ({ sku, quantity, condition: 'damaged' }) as const;

describe('goods that came back', () => {
  test('are on hand again when they are sellable, only recorded when they are damaged, and told once', async () => {
    const { placed, confirmed, returned, returnId, orderId, shelf, sku, told } = await sold();
    await bench.deliver('orders', placed, confirmed);
    const back = returned(returnId, [sellable(sku(0), 1), damaged(sku(0), 2), damaged(sku(1), 1)]);
    expect(await bench.deliver('orders', back, back)).toEqual(['SUCCESS', 'SUCCESS']);
    expect(await bench.deliver('orders', back, confirmed, placed)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
    expect([shelf(0), shelf(1)]).toEqual([
      [7, 0, 3],
      [6, 0, 4],
    ]);
    expect(told()).toHaveLength(1);
    expect(told()[0]).toMatchObject({
      ...{ type: 'stock.returned', partitionKey: 'north' },
      data: {
        ...{ returnId, orderId, shopId: 'north' },
        lines: [
          { sku: sku(0), quantity: 1, damaged: 2, onHand: 7, sold: 3 },
          { sku: sku(1), quantity: 0, damaged: 1, onHand: 6, sold: 4 },
        ],
      },
    });
  });

  test('are named in the history of their sku, and in their own', async () => {
    const { placed, confirmed, returned, returnId, orderId, sku } = await sold();
    await bench.deliver('orders', placed, confirmed);
    await bench.deliver('orders', returned(returnId, [sellable(sku(0), 1), damaged(sku(0), 2)]));
    const auditor = bench.as({ sub: 'a', perm: ['audit:read'], shops: ['north'] });
    const { body } = await auditor.get(`/api/v1/inventory/north/${sku(0)}/events`);
    expect((body.items as { type: string; data: object }[]).slice(-2)).toMatchObject([
      { type: 'item.returned', data: { quantity: 1, cause: `return:${returnId}` }, correlationId: 'request-1' },
      { type: 'item.damaged', data: { quantity: 2 }, correlationId: 'request-1' },
    ]);
    const path = `/api/v1/reservations/${orderId}/returns/${returnId}/events`;
    expect((await auditor.get(path)).body.items).toMatchObject([{ type: 'stock.returned' }]);
    expect((await bench.as({ sub: 'b', perm: ['audit:read'], shops: ['south'] }).get(path)).status).toBe(404);
  });

  test('of a basket of many chunks are all booked, also when the store dies in between', async () => {
    const { placed, confirmed, returned, returnId, lines, shelf, told } = await sold(CHUNK + 5);
    await bench.deliver('orders', placed);
    await bench.deliver('orders', confirmed);
    const back = returned(
      returnId,
      lines.map(({ sku }) => sellable(sku, 4)),
    );
    bench.dieAt(2, 'lost');
    await bench.deliver('orders', back).catch(() => undefined);
    expect(bench.revive()).toBe(true);
    expect(await bench.deliver('orders', back, back)).toEqual(['SUCCESS', 'SUCCESS']);
    expect([shelf(0), shelf(CHUNK), shelf(CHUNK + 4)]).toEqual(Array(3).fill([10, 0, 0]));
    expect(told()).toHaveLength(1);
    expect((told()[0]?.data as { lines: unknown[] }).lines).toHaveLength(CHUNK + 5);
  });

  test('that come before the sale is on record read from the owner what they overtook', async () => {
    const { placed, confirmed, returned, returnId, shelf, sku, told } = await sold();
    const back = returned(returnId, [sellable(sku(0), 1)]);
    expect(await bench.deliver('orders', placed, back)).toEqual(['SUCCESS', 'RETRY']); // the owner is away
    expect(shelf()).toEqual([10, 4, 0]);
    bench.play('order', () => ({ events: [placed, confirmed, back] }));
    expect(await bench.deliver('orders', back, confirmed)).toEqual(['SUCCESS', 'SUCCESS']);
    expect(shelf()).toEqual([7, 0, 3]);
    expect(told()).toHaveLength(1);
  });

  test('of two returns are booked each', async () => {
    const { placed, confirmed, returned, returnId, shelf, sku } = await sold();
    await bench.deliver('orders', placed, confirmed);
    const other = returned(crypto.randomUUID(), [sellable(sku(0), 2)], 4);
    await bench.deliver('orders', returned(returnId, [sellable(sku(0), 1)]), other, other);
    expect(shelf()).toEqual([9, 0, 1]);
  });
});
