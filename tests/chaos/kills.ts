// Processes of the saga die in the middle of a load, are restarted by the runner, and nothing is lost or done twice.
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, it } from '@jest/globals';
import { newGoods, posOrder } from '../acceptance/goods.ts';
import type { OpenWorld } from '../acceptance/open-world.ts';
import { OTHER_SHOP, SHOP } from '../acceptance/world.ts';
import type { OrderRequest } from '../client/retail.ts';
import type { AnsweredOrder } from '../invariants/sagas.ts';
import { awaitFinal, repeatAll, runLoad } from './load.ts';

const ORDERS = 40;
/** Answered orders after which the blow falls: the pipeline is full then. */
const FIRST_BLOW = 8;

export function killSuite(world: OpenWorld, answered: AnsweredOrder[]): void {
  let skus: string[] = [];
  beforeAll(async () => {
    const { admin } = world;
    skus = await newGoods(admin, { shopId: SHOP, count: 6, quantity: 5_000 });
    await admin.call('POST', '/api/v1/inventory/receipts', {
      body: { shopId: OTHER_SHOP, reference: `chaos-${skus[0]}`, lines: skus.map((sku) => ({ sku, quantity: 5_000 })) },
      key: `chaos-${skus[0]}`,
    });
  });

  /** Cards and cash, good and declined, two shops. */
  const orders = (): OrderRequest[] =>
    Array.from({ length: ORDERS }, (_, index) => {
      const lines = skus
        .slice(0, 1 + (index % 3))
        .map((sku) => ({ sku, quantity: 1 + (index % 2), unitPrice: 100 + index }));
      const payment =
        index % 10 === 3
          ? ({ method: 'card', token: 'pm_card_visa_chargeDeclined' } as const)
          : index % 5 === 4
            ? ({ method: 'cash' } as const)
            : ({ method: 'card', token: 'pm_card_visa' } as const);
      return posOrder(index % 2 === 0 ? SHOP : OTHER_SHOP, [], { lines, payment });
    });

  // One death for each thing that can be lost; every process meets every fate in `npm run chaos`.
  const victims = ['payment', 'order-dapr', 'broker', 'order and inventory and payment', 'broker and postgres'];
  it.each(victims)('%s', async (names) => {
    const { admin, mesh } = world;
    const doomed = names.split(' and ').map((name) => mesh.process(name));
    const before = doomed.map(({ restarts }) => restarts);
    const strike = Promise.withResolvers<void>();
    const blows = strike.promise.then(async () => {
      await Promise.all(doomed.map((each) => each.kill()));
      await pause(700 + Math.random() * 600);
      // A second blow while the system recovers from the first, for whoever is back by then.
      await Promise.all(doomed.filter(({ state }) => state === 'ready').map((each) => each.kill()));
    });
    const told = await runLoad(admin, {
      orders: orders(),
      onAnswer: (count) => count === FIRST_BLOW && strike.resolve(),
    });
    answered.push(...told.map(({ key, order }) => ({ key, orderId: order.id })));
    await blows;
    await Promise.all(doomed.map((each) => each.waitReady(60_000)));
    for (const [index, { restarts }] of doomed.entries()) expect(restarts).toBeGreaterThan(before[index] ?? 0);

    const final = await awaitFinal(admin, told, 60);
    for (const [index, order] of final.entries()) {
      const { payment } = told[index]?.request ?? {};
      const declined = payment?.method === 'card' && payment.token !== 'pm_card_visa';
      expect([order.id, order.status, order.cancellation?.code]).toEqual([
        order.id,
        declined ? 'cancelled' : 'confirmed',
        declined ? 'PAYMENT_DECLINED' : undefined,
      ]);
    }
    const repeated = await repeatAll(admin, told);
    expect(repeated.map(({ body }) => body.id)).toEqual(told.map(({ order }) => order.id));
    answered.push(...repeated.map(({ body }, index) => ({ key: told[index]?.key ?? '', orderId: body.id })));
    expect(new Set(told.map(({ order }) => order.id)).size).toBe(ORDERS);
  });
}
