// A message that breaks its contract: it goes to the dead letters of all who hear it, and the shop sells on.
import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { newSku, posOrder } from '../acceptance/goods.ts';
import type { OpenWorld } from '../acceptance/open-world.ts';
import { SHOP } from '../acceptance/world.ts';
import { eventually } from '../client/eventually.ts';
import { queryRows } from '../invariants/stores.ts';
import { awaitFinal, runLoad } from './load.ts';

export function poisonSuite(world: OpenWorld, poison: Set<string>): void {
  it('is laid aside by everyone, and the orders behind it go through', async () => {
    const { admin, mesh } = world;
    const sku = await newSku(admin, { shopId: SHOP, quantity: 10 });
    const id = randomUUID();
    const stream = `order:${id}`;
    poison.add(stream);
    const envelope = { actor: 'test', correlationId: id, causationId: id, schemaVersion: 1 };
    const event = {
      specversion: '1.0',
      id,
      type: 'retail.order.placed.v1',
      source: 'order',
      subject: id,
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      data: { ...envelope, stream, version: 1, at: new Date().toISOString(), payload: { orderId: 7, lines: 'none' } },
    };
    const entry = {
      entryId: '0',
      event,
      contentType: 'application/cloudevents+json',
      metadata: { partitionKey: SHOP },
    };
    const published = await mesh.sidecar('order', '/v1.0/publish/bulk/pubsub-saga/orders', {
      method: 'POST',
      body: JSON.stringify([entry]),
      headers: { 'content-type': 'application/json' },
    });
    expect(published.status).toBe(204);
    const sold = await runLoad(admin, { orders: Array.from({ length: 4 }, () => posOrder(SHOP, [sku])) });
    expect((await awaitFinal(admin, sold, 30)).map(({ status }) => status)).toEqual(Array(4).fill('confirmed'));
    const hearers = await eventually(
      async () => {
        const letters = await queryRows<{ app_id: string }>(
          mesh,
          'report',
          `select app_id from dead_letters where topic = 'orders' and event_id = '${id}'`,
        );
        return letters.length >= 3 && letters.map(({ app_id }) => app_id);
      },
      { within: 30_000, what: 'dead letters of all who hear orders' },
    );
    expect(hearers).toEqual(expect.arrayContaining(['inventory', 'order', 'report']));
  });
}
