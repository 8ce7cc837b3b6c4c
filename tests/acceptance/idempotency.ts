// One key, one order: repeats, reuse and many tries at once.
import { expect, it } from '@jest/globals';
import { settles } from '../client/eventually.ts';
import type { Order } from '../client/retail.ts';
import { everyItem } from '../client/retail.ts';
import { expectProblem, expectStatus, expectStock } from './expectations.ts';
import { newSku, posOrder, unique, webOrder } from './goods.ts';
import { OTHER_SHOP, SHOP, WEB, type World } from './world.ts';

export function idempotencySuite(world: World): void {
  const post = (gateway: typeof world.admin, body: unknown, key?: string, headers: Record<string, string> = {}) =>
    gateway.send<Order>('POST', '/api/v1/orders', { body, headers, ...(key !== undefined && { key }) });

  it('needs a key of 1 to 255 characters', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 1 });
    expectProblem(await post(world.customer, webOrder([sku])), 400);
    expectProblem(await post(world.customer, webOrder([sku]), ''), 400);
    expectProblem(await post(world.customer, webOrder([sku]), 'k'.repeat(256)), 400);
    expectStatus(await post(world.customer, webOrder([sku]), unique('k').padEnd(255, 'k')), 201);
  });

  it('answers a repeat with what it answered first', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 5 });
    const key = unique('key');
    const first = expectStatus(await post(world.customer, webOrder([sku]), key), 201);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    await world.customer.call('GET', `/api/v1/orders/${first.body.id}`, { query: { wait: 10 } });
    const again = expectStatus(await post(world.customer, webOrder([sku]), key), 201);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.headers.location).toBe(first.headers.location);
    expect(again.body).toEqual(first.body);
    await expectStock(world.admin, WEB, sku, 4);
  });

  it('takes the same JSON in another order as the same body', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 5 });
    const key = unique('key');
    const body = webOrder([sku]);
    const first = expectStatus(await post(world.customer, body, key), 201);
    const turned = Object.fromEntries(Object.entries(body).reverse());
    expect(expectStatus(await post(world.customer, turned, key), 201).body.id).toBe(first.body.id);
  });

  it('refuses the same key with another body', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 5 });
    const key = unique('key');
    expectStatus(await post(world.customer, webOrder([sku]), key), 201);
    expectProblem(await post(world.customer, webOrder([], { lines: [{ sku, quantity: 2 }] }), key), 422);
  });

  it('makes one order of many tries at once', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 50 });
    const key = unique('key');
    const customerId = unique('household');
    const body = posOrder(SHOP, [sku], { customerId });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post(world.till(SHOP), body, key, { prefer: 'wait=10' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201));
    expect(new Set(answers.map(({ body: { id } }) => id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] !== 'true').length).toBeLessThanOrEqual(1);
    await expectStock(world.admin, SHOP, sku, 49);
    await settles(async () =>
      expect(await everyItem<Order>(world.admin, '/api/v1/orders', { customerId })).toHaveLength(1),
    );
  });

  it('keeps the keys of different callers apart', async () => {
    const key = unique('key');
    const [a, b] = await Promise.all(
      [SHOP, OTHER_SHOP].map(async (shopId) => {
        const sku = await newSku(world.admin, { shopId, quantity: 1 });
        return expectStatus(await post(world.till(shopId), posOrder(shopId, [sku]), key), 201);
      }),
    );
    expect(a?.body.id).not.toBe(b?.body.id);
    expect(b?.headers['idempotent-replayed']).toBeUndefined();
  });

  it('lets a refused request be tried again with the same key', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 0 });
    const key = unique('key');
    expectProblem(await post(world.customer, webOrder([sku]), key), 409, 'STOCK_INSUFFICIENT');
    await world.admin.call('POST', '/api/v1/inventory/receipts', {
      body: { shopId: WEB, reference: key, lines: [{ sku, quantity: 1 }] },
      key,
    });
    expectStatus(await post(world.customer, webOrder([sku]), key), 201);
  });
}
