// Work of many transactions is killed half-way: it is completed, once.
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { newGoods, posOrder, unique } from '../acceptance/goods.ts';
import type { OpenWorld } from '../acceptance/open-world.ts';
import { SHOP } from '../acceptance/world.ts';
import { eventually } from '../client/eventually.ts';
import { bookReceipt, getStock, type Page, type Stock } from '../client/retail.ts';
import { awaitFinal, runLoad } from './load.ts';

const LINES = 20_000;
const SKUS = 2_000;

export function largeWorkSuite(world: OpenWorld): void {
  it('a receipt of 20,000 lines', async () => {
    const { admin, mesh } = world;
    const skus = await newGoods(admin, { shopId: SHOP, count: SKUS, quantity: 0 });
    const lines = Array.from({ length: LINES }, (_, index) => ({
      sku: skus[index % SKUS] as string,
      quantity: 1 + (index % 3),
    }));
    const wanted = new Map<string, number>();
    for (const { sku, quantity } of lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
    const reference = unique('large');
    const booked = bookReceipt(admin, { shopId: SHOP, reference, lines }, reference);
    booked.catch(() => {}); // awaited below; a blow must not end the test before
    for (const [sku, times] of [
      [skus[500], 1],
      [skus[1_900], 2],
    ] as const) {
      await eventually(async () => (await getStock(admin, SHOP, String(sku))).onHand >= times, {
        within: 60_000,
        every: 20,
        what: 'the receipt on its way',
      });
      await mesh.process('inventory').kill();
      await mesh.process('inventory').waitReady();
    }
    await mesh.process('inventory-dapr').kill();
    await booked;
    for (let from = 0; from < SKUS; from += 100) {
      const some = skus.slice(from, from + 100);
      const { items } = (await admin.call<Page<Stock>>('GET', `/api/v1/inventory/${SHOP}`, { query: { sku: some } }))
        .body;
      expect(items.map(({ sku, onHand }) => [sku, onHand])).toEqual(some.map((sku) => [sku, wanted.get(sku)]));
    }
  }, 180_000);

  it('orders of 111 skus', async () => {
    const { admin, mesh } = world;
    const count = 8;
    const skus = await newGoods(admin, { shopId: SHOP, count: 111, quantity: count });
    const load = runLoad(admin, { orders: Array.from({ length: count }, () => posOrder(SHOP, skus)), clients: count });
    for (let blow = 0; blow < 3; blow++) {
      await pause(150 + Math.random() * 300);
      await mesh.process('inventory').kill();
      await mesh.process('inventory').waitReady();
    }
    const final = await awaitFinal(admin, await load, 60);
    expect(final.map(({ status }) => status)).toEqual(Array(count).fill('confirmed'));
    for (const sku of [skus[0], skus[96], skus[97], skus[110]]) {
      await eventually(async () => (await getStock(admin, SHOP, String(sku))).onHand === 0);
      expect(await getStock(admin, SHOP, String(sku))).toMatchObject({ onHand: 0, reserved: 0 });
    }
  }, 120_000);
}
