// Receipts, adjustments and the stock that they leave.
import { expect, it } from '@jest/globals';
import { getStock, type Page, type Receipt, type Stock } from '../client/retail.ts';
import { expectProblem, expectStatus } from './expectations.ts';
import { newGoods, newSku, unique } from './goods.ts';
import { OTHER_SHOP, SHOP, type World } from './world.ts';

export function inventorySuite(world: World): void {
  const receipt = (body: unknown, key: string) =>
    world.admin.send<{ id: string }>('POST', '/api/v1/inventory/receipts', { body, key, timeout: 70_000 });
  const adjust = (body: unknown, key: string) =>
    world.admin.send<{ id: string }>('POST', '/api/v1/inventory/adjustments', { body, key });

  it('books a receipt that is readable when it answers', async () => {
    const [a = '', b = ''] = await newGoods(world.admin, { shopId: SHOP, count: 2, quantity: 0 });
    const body: Receipt = {
      shopId: SHOP,
      reference: unique('delivery'),
      lines: [
        { sku: a, quantity: 3 },
        { sku: b, quantity: 4 },
      ],
    };
    expect(expectStatus(await receipt(body, unique('key')), 201).body.id).toEqual(expect.any(String));
    expect(await getStock(world.admin, SHOP, a)).toMatchObject({
      shopId: SHOP,
      sku: a,
      onHand: 3,
      reserved: 0,
      available: 3,
    });
    const { body: many } = await world.admin.send<Page<Stock>>('GET', `/api/v1/inventory/${SHOP}`, {
      query: { sku: [a, b] },
    });
    expect(many.items).toMatchObject([
      { sku: a, onHand: 3 },
      { sku: b, onHand: 4 },
    ]);
    expect((await getStock(world.admin, OTHER_SHOP, a).catch(() => undefined))?.onHand ?? 0).toBe(0);
  });

  it('books a reference once: same body the same answer, other body 409', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 0 });
    const body = { shopId: SHOP, reference: unique('delivery'), lines: [{ sku, quantity: 5 }] };
    const key = unique('key');
    const first = expectStatus(await receipt(body, key), 201);
    const sameKey = expectStatus(await receipt(body, key), 201);
    expect(sameKey.headers['idempotent-replayed']).toBe('true');
    const otherKey = expectStatus(await receipt(body, unique('key')), 201);
    expect([sameKey.body.id, otherKey.body.id]).toEqual([first.body.id, first.body.id]);
    expectProblem(await receipt({ ...body, lines: [{ sku, quantity: 6 }] }, unique('key')), 409, 'REFERENCE_BOOKED');
    expectProblem(await receipt({ ...body, reference: unique('delivery') }, key), 422);
    expect(await getStock(world.admin, SHOP, sku)).toMatchObject({ onHand: 5 });
  });

  it('books a reference once when asked many times at once', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 0 });
    const body = { shopId: SHOP, reference: unique('delivery'), lines: [{ sku, quantity: 5 }] };
    const key = unique('key');
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => receipt(body, key)),
      ...Array.from({ length: 4 }, () => receipt(body, unique('key'))),
    ]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body: { id } }) => id)).size).toBe(1);
    expect(await getStock(world.admin, SHOP, sku)).toMatchObject({ onHand: 5 });
  });

  it('takes the same reference for another shop and for an adjustment', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 0 });
    const body = { shopId: SHOP, reference: unique('delivery'), lines: [{ sku, quantity: 5 }] };
    expectStatus(await receipt(body, unique('key')), 201);
    expectStatus(await receipt({ ...body, shopId: OTHER_SHOP }, unique('key')), 201);
    expectStatus(await adjust({ ...body, lines: [{ sku, quantity: -2 }] }, unique('key')), 201);
    expect(await getStock(world.admin, SHOP, sku)).toMatchObject({ onHand: 3 });
    expect(await getStock(world.admin, OTHER_SHOP, sku)).toMatchObject({ onHand: 5 });
  });

  it('adjusts up and down, never below nothing', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 10 });
    const lines = (quantity: number) => ({
      shopId: SHOP,
      reference: unique('count'),
      reason: 'stocktake',
      lines: [{ sku, quantity }],
    });
    expectStatus(await adjust(lines(-4), unique('key')), 201);
    expectStatus(await adjust(lines(1), unique('key')), 201);
    expect(await getStock(world.admin, SHOP, sku)).toMatchObject({ onHand: 7 });
    expectProblem(await adjust(lines(-8), unique('key')), 409);
    expectProblem(await adjust(lines(0), unique('key')), 400);
    expect(await getStock(world.admin, SHOP, sku)).toMatchObject({ onHand: 7, available: 7 });
  });

  it('refuses a receipt that is wrong in one line, and books none of it', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 0 });
    for (const bad of [
      { sku, quantity: 0 },
      { sku, quantity: -1 },
      { sku, quantity: 1.5 },
      { sku, quantity: 2 ** 53 },
      { sku, quantity: '1' },
      { quantity: 1 },
      { sku, quantity: 1, extra: 1 },
    ]) {
      expectProblem(
        await receipt({ shopId: SHOP, reference: unique('bad'), lines: [{ sku, quantity: 1 }, bad] }, unique('key')),
        400,
      );
    }
    const unknown = await receipt(
      {
        shopId: SHOP,
        reference: unique('bad'),
        lines: [
          { sku, quantity: 1 },
          { sku: unique('none'), quantity: 1 },
        ],
      },
      unique('key'),
    );
    expectProblem(unknown, [404, 422]);
    expectProblem(
      await receipt({ shopId: unique('shop'), reference: unique('bad'), lines: [{ sku, quantity: 1 }] }, unique('key')),
      [404, 422],
    );
    expectProblem(await receipt({ shopId: SHOP, reference: unique('bad'), lines: [] }, unique('key')), 400);
    expect((await getStock(world.admin, SHOP, sku).catch(() => undefined))?.onHand ?? 0).toBe(0);
  });

  it('needs a key, and the right to do it', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 0 });
    const body = { shopId: SHOP, reference: unique('delivery'), lines: [{ sku, quantity: 1 }] };
    expectProblem(await world.admin.send('POST', '/api/v1/inventory/receipts', { body }), 400);
    const post = { body, key: unique('key') };
    expectProblem(await world.anybody.send('POST', '/api/v1/inventory/receipts', post), 401);
    for (const gateway of [world.customer, world.cashier, world.till(SHOP)])
      expectProblem(await gateway.send('POST', '/api/v1/inventory/receipts', post), 403);
    expectProblem(await world.anybody.send('GET', `/api/v1/inventory/${SHOP}/${sku}`), 401);
    expectProblem(await world.customer.send('GET', `/api/v1/inventory/${SHOP}/${sku}`), 403);
    expectProblem(await world.till(SHOP).send('GET', `/api/v1/inventory/${OTHER_SHOP}/${sku}`), 403);
    expectProblem(
      await world.manager.send('POST', '/api/v1/inventory/receipts', {
        body: { ...body, shopId: OTHER_SHOP },
        key: unique('key'),
      }),
      403,
    );
    expectStatus(await world.manager.send('POST', '/api/v1/inventory/receipts', post), 201);
    expectStatus(await world.till(SHOP).send('GET', `/api/v1/inventory/${SHOP}/${sku}`), 200);
  });

  it('takes thousands of lines in one receipt', async () => {
    const skus = await newGoods(world.admin, { shopId: SHOP, count: 1_200, quantity: 0 });
    const reference = unique('large');
    const lines = skus.map((sku, index) => ({ sku, quantity: (index % 7) + 1 }));
    expectStatus(await receipt({ shopId: SHOP, reference, lines }, reference), 201);
    for (const index of [0, 600, 1_199])
      expect(await getStock(world.admin, SHOP, skus[index] ?? '')).toMatchObject({ onHand: (index % 7) + 1 });
    const tooMany = Array.from({ length: 20_001 }, () => ({ sku: skus[0], quantity: 1 }));
    expectProblem(
      await receipt({ shopId: SHOP, reference: unique('large'), lines: tooMany }, unique('key')),
      400,
      'TOO_MANY_LINES',
    );
  });
}
