// The sales report, to the cent.
import { expect, it } from '@jest/globals';
import { eventually } from '../client/eventually.ts';
import { type Order, placeOrder, type SalesRow } from '../client/retail.ts';
import { expectProblem, expectStatus } from './expectations.ts';
import { newSku, posOrder, unique } from './goods.ts';
import { shopNamed } from './shops.ts';
import { OTHER_SHOP, SHOP, type World } from './world.ts';

export function reportSuite(world: World): void {
  const sales = (query: Record<string, string>, gateway = world.admin) =>
    gateway.send<{ items: (SalesRow & { channel?: string; sku?: string; department?: string })[] }>(
      'GET',
      '/api/v1/reports/sales',
      { query },
    );

  it('reports to the cent by shop and day, and takes out what was cancelled', async () => {
    const shop = { ...shopNamed(unique('shop')), timeZone: 'America/New_York' };
    await world.admin.call('POST', '/api/v1/shops', { body: shop });
    const sku = await newSku(world.admin, { shopId: shop.id, quantity: 100 });
    const sell = async (occurredAt: string, quantity: number, loyalty: number) => {
      const lines = [
        {
          sku,
          quantity,
          unitPrice: 100,
          discounts:
            loyalty > 0
              ? [
                  { kind: 'loyalty' as const, amount: loyalty },
                  { kind: 'storeCoupon' as const, amount: 3 },
                ]
              : [],
        },
      ];
      const { body } = await placeOrder(world.admin, posOrder(shop.id, [], { lines, occurredAt }), unique('order'), 10);
      expect(body.status).toBe('confirmed');
      return body;
    };
    await sell('2019-05-01T12:00:00Z', 2, 10);
    await sell('2019-05-02T03:59:59Z', 1, 0); // 23:59:59 of the first day in New York
    await sell('2019-05-02T04:00:00Z', 3, 7);
    const undone = await sell('2019-05-02T12:00:00Z', 5, 0);
    await world.admin.call<Order>('POST', `/api/v1/orders/${undone.id}/cancel`, {
      body: { reason: 'test' },
      key: unique('cancel'),
    });
    const wanted = [
      {
        shopId: shop.id,
        day: '2019-05-01',
        orders: 2,
        units: 3,
        gross: 300,
        discounts: 13,
        discountsByKind: { loyalty: 10, storeCoupon: 3, manual: 0 },
        net: 287,
      },
      {
        shopId: shop.id,
        day: '2019-05-02',
        orders: 1,
        units: 3,
        gross: 300,
        discounts: 10,
        discountsByKind: { loyalty: 7, storeCoupon: 3, manual: 0 },
        net: 290,
      },
    ];
    const rows = await eventually(
      async () => {
        const { items } = expectStatus(
          await sales({ from: '2019-05-01', to: '2019-05-02', groupBy: 'shop,day' }),
          200,
        ).body;
        const own = items.filter(({ shopId }) => shopId === shop.id);
        return own.reduce((sum, { orders }) => sum + orders, 0) === 3 && own;
      },
      { within: 15_000, what: 'the report of three orders' },
    );
    expect(rows).toMatchObject(wanted);
    const first = (await sales({ from: '2019-05-01', to: '2019-05-01', groupBy: 'shop,day' })).body.items.filter(
      ({ shopId }) => shopId === shop.id,
    );
    expect(first).toMatchObject([wanted[0]]);
    const bySku = (await sales({ from: '2019-05-01', to: '2019-05-02', groupBy: 'sku' })).body.items.filter(
      (row) => row.sku === sku,
    );
    expect(bySku).toMatchObject([{ sku, units: 6, net: 577 }]);
    const byChannel = (
      await sales({ from: '2019-05-01', to: '2019-05-02', groupBy: 'shop,channel' })
    ).body.items.filter(({ shopId }) => shopId === shop.id);
    expect(byChannel).toMatchObject([{ channel: 'pos', orders: 3, net: 577 }]);
  });

  it('tells of a sale in every view, and a manager sees the own shop only', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 10 });
    const other = await newSku(world.admin, { shopId: OTHER_SHOP, quantity: 10 });
    const sell = async (shopId: string, item: string) => {
      const lines = [{ sku: item, quantity: 3, unitPrice: 100, discounts: [] }];
      const order = posOrder(shopId, [], { lines, occurredAt: '2019-06-01T12:00:00Z' });
      return (await placeOrder(world.admin, order, unique('order'), 10)).body;
    };
    const order = await sell(SHOP, sku);
    const foreign = await sell(OTHER_SHOP, other);
    const read = async <T>(path: string, query = {}, gateway = world.admin) =>
      expectStatus(await gateway.send<T>('GET', `/api/v1${path}`, { query }), 200).body;
    interface Stock {
      items: { shopId: string; onHand: number; movements: { sold: number } }[];
    }
    const [row] = await eventually(
      async () => {
        const { items } = await read<Stock>('/reports/stock', { sku, shopId: SHOP });
        return items[0]?.movements.sold === 3 && items;
      },
      { within: 15_000, what: 'the goods of the order to leave the report' },
    );
    expect(row).toMatchObject({ shopId: SHOP, onHand: 7, movements: { received: 10, sold: 3 } });
    expect((await read<Stock>('/reports/stock', { sku: other }, world.manager)).items).toEqual([]);

    const day = { from: order.placedAt.slice(0, 10), to: '2999-12-31' };
    const saga = await read<{ confirmed: number; steps: { step: string; p95: number }[] }>('/reports/saga', day);
    expect(saga.confirmed).toBeGreaterThan(1);
    expect(saga.steps.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['reserve', 'capture', 'confirm', 'whole']),
    );
    const paid = await read<{ items: { shopId: string; captured: number }[] }>('/reports/payments', day, world.manager);
    expect(paid.items.length).toBeGreaterThan(0);
    expect(paid.items.every(({ shopId }) => shopId === SHOP)).toBe(true);
    const { items: balances } = await read<{ items: { currency: string; balanced: boolean }[] }>(
      '/reports/trial-balance',
    );
    expect(balances.find(({ currency }) => currency === 'USD')).toMatchObject({ balanced: true });

    interface Audit {
      items: { type: string; actor: string; stream: string }[];
    }
    const types = await eventually(
      async () => {
        const { items } = await read<Audit>('/audit', { subject: foreign.id });
        const found = items.map(({ type }) => type);
        return found.includes('stock.committed') && found;
      },
      { within: 15_000, what: 'the story of the order in the audit' },
    );
    expect(types).toEqual(
      expect.arrayContaining(['order.placed', 'stock.reserved', 'payment.captured', 'order.confirmed']),
    );
    expect(await read('/audit/verify')).toMatchObject({ intact: true, broken: [] });
    expectProblem(await world.manager.send('GET', '/api/v1/audit'), 403);
  });

  it('is rebuilt to the same rows; nobody but the admin may ask for it', async () => {
    const path = '/api/v1/reports/views/sales/rebuild';
    expectProblem(await world.manager.send('POST', path), 403);
    expectStatus(await world.admin.send('POST', path), 202);
    interface Progress {
      state: string;
      rows: number;
      hash: string;
      liveRows: number;
      liveHash: string;
    }
    const done = await eventually(
      async () => {
        const { body } = await world.admin.call<Progress>('GET', path);
        return body.state === 'done' && body;
      },
      { within: 20_000, what: 'the rebuild of the sales view' },
    );
    expect([done.rows, done.hash]).toEqual([done.liveRows, done.liveHash]);
  });

  it('refuses a wrong range, grouping or caller', async () => {
    const range = { from: '2017-01-01', to: '2017-01-02', groupBy: 'shop,day' };
    expectProblem(await sales({ ...range, groupBy: 'customer' }), 400);
    expectProblem(await sales({ ...range, from: '2017-02-30' }), 400);
    expectProblem(await sales({ ...range, from: '2017-01-03' }), 400);
    expectProblem(await sales({ ...range, other: '1' }), 400);
    expectProblem(await sales(range, world.anybody), 401);
    for (const gateway of [world.customer, world.cashier, world.till(SHOP)])
      expectProblem(await sales(range, gateway), 403);
  });

  it('shows a manager the own shop only', async () => {
    const { items } = expectStatus(
      await sales({ from: '2017-01-01', to: '2030-12-31', groupBy: 'shop' }, world.manager),
      200,
    ).body;
    expect(items.every(({ shopId }) => shopId === SHOP)).toBe(true);
  });
}
