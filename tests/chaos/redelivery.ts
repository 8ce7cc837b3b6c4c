// I12: every topic of the saga once more from the start.
import { expect, it } from '@jest/globals';
import { newSku, posOrder, webOrder } from '../acceptance/goods.ts';
import type { OpenWorld } from '../acceptance/open-world.ts';
import { checkInvariants } from '../invariants/check.ts';
import { compareSnapshots, redeliver, takeSnapshot } from '../invariants/redelivery.ts';
import { awaitFinal, runLoad } from './load.ts';

const SAGA = ['order', 'inventory', 'payment'];
const STORES = ['shop-343', 'shop-361', 'shop-367', 'shop-406'];
/** A web shop's orders are spread over eight partition keys. */
const WEB_ORDERS = 12;

export function redeliverySuite(world: OpenWorld, poison: ReadonlySet<string>): void {
  it('changes nothing and ends', async () => {
    const { admin, mesh } = world;
    const sku = await newSku(admin, { shopId: 'shop-343', quantity: 100 });
    const declined = { method: 'card', token: 'pm_card_visa_chargeDeclined' } as const;
    const earlier = Array.from({ length: 30 }, (_, n) =>
      posOrder('shop-343', [sku], n % 5 === 0 ? { payment: declined } : {}),
    );
    await awaitFinal(admin, await runLoad(admin, { orders: earlier }), 60);
    expect(await checkInvariants(mesh, { poison })).toEqual([]); // quiet before the snapshot
    const before = await takeSnapshot(mesh, SAGA);
    let count = 0;
    for (const appId of SAGA) count += await redeliver(mesh, appId);
    expect(count).toBeGreaterThan(100);
    // Orders of each shop come behind the repeats in every partition: when they are through, so are the repeats.
    for (let round = 0; round < 2; round++) {
      const web = await newSku(admin, { shopId: 'web', quantity: WEB_ORDERS });
      const orders = [
        ...(await Promise.all(
          STORES.map(async (shopId) => posOrder(shopId, [await newSku(admin, { shopId, quantity: 1 })])),
        )),
        ...Array.from({ length: WEB_ORDERS }, () => webOrder([web], { customerId: 'nobody' })),
      ];
      const final = await awaitFinal(admin, await runLoad(admin, { orders }), 60);
      expect(final.map(({ status }) => status)).toEqual(orders.map(() => 'confirmed'));
    }
    expect(compareSnapshots(before, await takeSnapshot(mesh, SAGA))).toEqual([]);
  });
}
