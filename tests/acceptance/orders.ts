// Orders of every channel: prices, totals, lists, and who sees them.
import { expect, it } from '@jest/globals';
import { eventually } from '../client/eventually.ts';
import { everyItem, followOrder, type Order, type OrderRequest, type Page } from '../client/retail.ts';
import { etagOf, expectProblem, expectStatus, expectStock } from './expectations.ts';
import { newGoods, newSku, posOrder, unique, webOrder } from './goods.ts';
import { OTHER_SHOP, SHOP, WEB, type World } from './world.ts';

export function orderSuite(world: World): void {
  const post = (gateway: typeof world.admin, body: OrderRequest, wait?: number) =>
    gateway.send<Order>('POST', '/api/v1/orders', {
      body,
      key: unique('order'),
      headers: wait === undefined ? {} : { prefer: `wait=${wait}` },
    });
  const get = (gateway: typeof world.admin, id: string, query: Record<string, string> = {}) =>
    gateway.send<Order>('GET', `/api/v1/orders/${id}`, { query });

  it('sells to a web customer at the catalogue price', async () => {
    const [a = '', b = ''] = await newGoods(world.admin, { shopId: WEB, count: 2, quantity: 5, price: 250 });
    const placed = expectStatus(
      await post(
        world.customer,
        webOrder([], {
          lines: [
            { sku: a, quantity: 2 },
            { sku: b, quantity: 1 },
          ],
        }),
        10,
      ),
      201,
    );
    const order = placed.body;
    expect(placed.headers.location).toBe(`/api/v1/orders/${order.id}`);
    expect(order).toMatchObject({
      status: 'confirmed',
      channel: 'web',
      shopId: WEB,
      currency: 'USD',
      gross: 750,
      discounts: 0,
      net: 750,
      tax: 0,
    });
    expect(order.lines).toMatchObject([
      { sku: a, quantity: 2, unitPrice: 250, discounts: [], total: 500 },
      { sku: b, quantity: 1, unitPrice: 250, total: 250 },
    ]);
    await expectStock(world.admin, WEB, a, 3);
    const read = expectStatus(await get(world.customer, order.id), 200);
    expect(read.body).toMatchObject({ id: order.id, net: 750, payment: { status: 'captured' } });
    expect(etagOf(read)).toBe(`"${read.body.version}"`);
  });

  it('takes prices and discounts of a till to the cent', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 0 });
    const lines = [
      {
        sku,
        quantity: 3,
        unitPrice: 34,
        discounts: [
          { kind: 'loyalty' as const, amount: 15 },
          { kind: 'storeCoupon' as const, amount: 5 },
          { kind: 'manual' as const, amount: 2 },
        ],
      },
    ];
    const occurredAt = '2017-03-04T10:11:12Z';
    const { body } = expectStatus(
      await post(world.till(SHOP), posOrder(SHOP, [], { lines, occurredAt, customerId: 'household-1' }), 10),
      201,
    );
    expect(body).toMatchObject({
      status: 'confirmed',
      channel: 'pos',
      customerId: 'household-1',
      gross: 102,
      discounts: 22,
      net: 80,
    });
    expect(body.lines[0]).toMatchObject({ unitPrice: 34, total: 80, discounts: lines[0]?.discounts });
    expect(new Date(body.occurredAt ?? '').toISOString()).toBe('2017-03-04T10:11:12.000Z');
  });

  it('lets a shop price win over the default', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 2, price: 250 });
    const etag = etagOf(await world.anybody.send('GET', `/api/v1/products/${sku}`));
    await world.admin.call('PUT', `/api/v1/products/${sku}/prices/${WEB}`, {
      body: { amount: 111, currency: 'USD' },
      headers: { 'if-match': etag },
    });
    expect(expectStatus(await post(world.customer, webOrder([sku]), 10), 201).body).toMatchObject({
      status: 'confirmed',
      net: 111,
    });
  });

  it('answers at once without a wait, and waits for the end when asked', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 2 });
    const placed = expectStatus(await post(world.customer, webOrder([sku])), 201).body;
    expect(['placed', 'confirmed']).toContain(placed.status);
    const waited = expectStatus(await get(world.customer, placed.id, { wait: '10' }), 200).body;
    expect(waited.status).toBe('confirmed');
    const started = Date.now();
    await get(world.customer, placed.id, { wait: '30' });
    expect(Date.now() - started).toBeLessThan(2_000);
    for (const wait of ['-1', 'x']) expectProblem(await get(world.customer, placed.id, { wait }), 400);
  });

  it('sells for nothing without asking the provider', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 1 });
    const free = posOrder(SHOP, [], {
      lines: [{ sku, quantity: 1, unitPrice: 100, discounts: [{ kind: 'manual', amount: 100 }] }],
    });
    const { body } = expectStatus(await post(world.till(SHOP), free, 10), 201);
    expect(body).toMatchObject({ status: 'confirmed', gross: 100, discounts: 100, net: 0 });
    expect((await world.provider.book({ orderId: body.id })).intents).toEqual([]);
    const zero = posOrder(SHOP, [], {
      occurredAt: '2017-03-04T10:11:12Z',
      lines: [{ sku, quantity: 2, unitPrice: 0 }],
    });
    expect(expectStatus(await post(world.till(SHOP), zero, 10), 201).body).toMatchObject({
      status: 'confirmed',
      gross: 0,
      net: 0,
    });
  });

  it('sells a basket of 111 skus, and one of 500', async () => {
    for (const count of [111, 500]) {
      const skus = await newGoods(world.admin, { shopId: SHOP, count, quantity: 2 });
      const placed = expectStatus(await post(world.till(SHOP), posOrder(SHOP, skus)), 201).body;
      const order = await followOrder(world.till(SHOP), placed, 30);
      expect(order).toMatchObject({ status: 'confirmed', net: 199 * count });
      expect(order.lines).toHaveLength(count);
      for (const sku of [skus[0], skus[97], skus.at(-1)]) await expectStock(world.admin, SHOP, sku ?? '', 1);
    }
  });

  it('refuses 501 lines', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 1 });
    const lines = Array.from({ length: 501 }, (_, index) => ({
      sku: index === 0 ? sku : unique('sku'),
      quantity: 1,
      unitPrice: 1,
    }));
    expectProblem(await post(world.till(SHOP), posOrder(SHOP, [], { lines })), 400, 'TOO_MANY_LINES');
  });

  it('walks a large basket back when one of its last skus is missing', async () => {
    const skus = await newGoods(world.admin, { shopId: SHOP, count: 120, quantity: 1 });
    const missing = await newSku(world.admin, { shopId: SHOP, quantity: 0 });
    const placed = expectStatus(await post(world.till(SHOP), posOrder(SHOP, [...skus, missing])), 201).body;
    expect(await followOrder(world.till(SHOP), placed, 30)).toMatchObject({
      status: 'cancelled',
      cancellation: { code: 'STOCK_INSUFFICIENT' },
    });
    const { body } = await world.admin.send<Page<{ onHand: number; reserved: number }>>(
      'GET',
      `/api/v1/inventory/${SHOP}`,
      { query: { sku: skus.slice(0, 100) } },
    );
    expect(body.items.every(({ onHand, reserved }) => onHand === 1 && reserved === 0)).toBe(true);
  });

  it('shows an order to its owner and to staff of its shop only', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 3 });
    const own = expectStatus(await post(world.customer, webOrder([sku]), 10), 201).body;
    const other = expectStatus(await post(world.admin, webOrder([sku], { customerId: 'somebody' }), 10), 201).body;
    expectProblem(await get(world.anybody, own.id), 401);
    expectProblem(await get(world.customer, other.id), [403, 404]);
    expectProblem(await get(world.till(SHOP), own.id), [403, 404]);
    expectStatus(await get(world.admin, own.id), 200);
    expectProblem(await get(world.admin, unique('order')), 404);
    const listed = await everyItem<Order>(world.customer, '/api/v1/orders');
    expect(listed.map(({ id }) => id)).not.toContain(other.id);
  });

  it('takes the customer of a web order from the token', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 2 });
    const answer = await post(world.customer, webOrder([sku], { customerId: 'somebody-else' }), 10);
    if (answer.status === 201) expect(answer.body.customerId).not.toBe('somebody-else');
    else expectProblem(answer, [400, 403]);
  });

  it('lists by customer, shop, status and time, newest first', async () => {
    const customerId = unique('household');
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 1 });
    const sell = async (changes: Partial<OrderRequest>) =>
      expectStatus(await post(world.till(SHOP), posOrder(SHOP, [sku], { customerId, ...changes }), 10), 201).body;
    const first = await sell({ occurredAt: '2017-01-01T10:00:00Z' });
    const second = await sell({ payment: { method: 'cash' } });
    const third = await sell({});
    expect([first, second, third].map(({ status }) => status)).toEqual(['confirmed', 'confirmed', 'cancelled']);
    const list = (query: Record<string, string>) =>
      world.admin.send<Page<Order>>('GET', '/api/v1/orders', { query: { customerId, ...query } });
    const ids = async (query: Record<string, string>) => (await list(query)).body.items.map(({ id }) => id);
    await eventually(
      async () =>
        (await list({})).body.items.every(({ status }) => status !== 'placed') && (await ids({})).length === 3,
    );
    expect(await ids({})).toEqual([third.id, second.id, first.id]);
    expect(await ids({ status: 'cancelled' })).toEqual([third.id]);
    expect(await ids({ status: 'confirmed', shopId: SHOP })).toEqual([second.id, first.id]);
    expect(await ids({ shopId: OTHER_SHOP })).toEqual([]);
    expect(await ids({ from: first.placedAt, to: second.placedAt })).toEqual(expect.arrayContaining([first.id]));
    expect(await ids({ from: new Date(Date.now() + 3_600_000).toISOString() })).toEqual([]);
    expect(await ids({ to: '2001-01-01T00:00:00Z' })).toEqual([]);
    const page = (await list({ limit: '2' })).body;
    expect(page.items.map(({ id }) => id)).toEqual([third.id, second.id]);
    expect((await list({ limit: '2', cursor: page.next ?? '' })).body).toMatchObject({
      items: [{ id: first.id }],
      next: null,
    });
    for (const query of [{ status: 'paid' }, { from: 'yesterday' }, { limit: '101' }, { other: '1' }])
      expectProblem(await list(query as Record<string, string>), 400);
  });

  it('shows the own write in the list when told its version', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 2 });
    const placed = expectStatus(await post(world.customer, webOrder([sku]), 10), 201).body;
    const found = await eventually(async () => {
      const answer = await world.customer.send<Page<Order>>('GET', '/api/v1/orders', {
        headers: { 'x-min-version': `${placed.id}@${placed.version}` },
      });
      return answer.headers['x-stale'] === 'true' ? undefined : answer;
    });
    expect(found.body.items[0]).toMatchObject({ id: placed.id, status: 'confirmed' });
  });

  it('lets tills sell in their own shop only, and customers on the web only', async () => {
    const sku = await newSku(world.admin, { shopId: OTHER_SHOP, quantity: 1 });
    expectProblem(await post(world.anybody, posOrder(OTHER_SHOP, [sku])), 401);
    expectProblem(await post(world.till(SHOP), posOrder(OTHER_SHOP, [sku])), 403);
    expectProblem(await post(world.customer, posOrder(SHOP, [sku])), 403);
    expectProblem(await post(world.customer, webOrder([], { lines: [{ sku, quantity: 1, unitPrice: 1 }] })), 403);
    expectProblem(
      await post(
        world.customer,
        webOrder([], { lines: [{ sku, quantity: 1, discounts: [{ kind: 'manual', amount: 1 }] }] }),
      ),
      403,
    );
  });
}
