// What every resource tells auditors of its past: its events, and itself as it was at an instant.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { eventually } from '../client/eventually.ts';
import { everyItem, type Page, type PaymentView, placeOrder } from '../client/retail.ts';
import { tell } from '../history/main.ts';
import { etagOf, expectProblem, expectStatus } from './expectations.ts';
import { newSku, productNamed, receive, unique, webOrder } from './goods.ts';
import { OTHER_SHOP, SHOP, WEB, type World } from './world.ts';

interface Recorded {
  readonly id: string;
  readonly version: number;
  readonly type: string;
  readonly at: string;
  readonly actor: string | null;
  readonly correlationId: string | null;
  readonly causationId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

const FUTURE = '2999-01-01T00:00:00Z';

export function historySuite(world: World): void {
  const events = (path: string) => everyItem<Recorded>(world.admin, `${path}/events`);
  const at = (path: string, instant: string) =>
    world.admin.send<Record<string, unknown>>('GET', path, { query: { at: instant } });
  const now = async (path: string) =>
    expectStatus(await world.admin.send<Record<string, unknown>>('GET', path), 200).body;

  /** What holds of any history: in order, each event with its origin, nothing before the first, today at the end. */
  async function expectHistory(path: string, types: readonly string[]): Promise<readonly Recorded[]> {
    const told = await events(path);
    expect(told.map(({ type }) => type)).toEqual(types);
    expect(told.map(({ version }) => version)).toEqual(types.map((_, n) => n + 1));
    for (const { actor, correlationId, causationId } of told) {
      for (const word of [actor, correlationId, causationId]) expect(word).toEqual(expect.any(String));
    }
    const [first, last] = [told[0]?.at ?? '', told.at(-1)?.at ?? ''];
    expectProblem(await at(path, new Date(Date.parse(first) - 1).toISOString()), 404);
    expectProblem(await at(path, 'yesterday'), 400);
    for (const instant of [last, FUTURE])
      expect(expectStatus(await at(path, instant), 200).body).toEqual(await now(path));
    return told;
  }

  it('tells of an order, its payment and its stock, each event naming the one that it follows from', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 3 });
    const { body: order } = await placeOrder(world.customer, webOrder([sku]), unique('order'), 10);
    const path = `/api/v1/orders/${order.id}`;
    const ordered = await expectHistory(path, ['order.placed', 'order.confirmed']);
    expect(expectStatus(await at(path, ordered[0]?.at ?? ''), 200).body).toMatchObject({
      status: 'placed',
      version: 1,
    });

    const { items } = await world.admin
      .send<Page<PaymentView>>('GET', '/api/v1/payments', { query: { orderId: order.id } })
      .then(({ body }) => body);
    const paid = await expectHistory(`/api/v1/payments/${items[0]?.id}`, ['payment.requested', 'payment.captured']);
    expect(ordered[1]?.causationId).toBe(paid[1]?.id);

    const shelf = `/api/v1/inventory/${WEB}/${sku}`;
    await eventually(async () => (await events(shelf)).length === 3);
    const moved = await expectHistory(shelf, ['item.received', 'item.reserved', 'item.committed']);
    expect(paid[0]?.causationId).toBe(moved[1]?.causationId);
    expect(new Set([...ordered, ...paid, ...moved.slice(1)].map(({ correlationId }) => correlationId)).size).toBe(1);
    expect(expectStatus(await at(shelf, moved[1]?.at ?? ''), 200).body).toMatchObject({ onHand: 3, available: 2 });
    expect(JSON.stringify([ordered, paid, moved])).not.toContain('pm_card');
  });

  it('tells the story of a cancelled order across services on the terminal', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 3 });
    const declined = webOrder([sku], { payment: { method: 'card', token: 'pm_card_visa_chargeDeclined' } });
    const { body: order } = await placeOrder(world.customer, declined, unique('order'), 10);
    const data = mkdtempSync(join(tmpdir(), 'history-'));
    try {
      writeFileSync(join(data, 'secrets.json'), JSON.stringify(world.secrets), { mode: 0o600 });
      const story = async (...words: string[]) => {
        const said: string[] = [];
        const code = await tell(
          words,
          { url: world.admin.baseUrl, profile: 'local', data },
          (line) => void said.push(line),
        );
        return { code, types: said.flatMap((line) => /^\S+Z .* {2}([a-z]+\.[a-z-]+)$/.exec(line)?.[1] ?? []), said };
      };
      const chain = [
        ...['order.placed', 'stock.reserved', 'payment.requested', 'payment.failed', 'stock.released'],
        ...['order.cancelled', 'notification.requested', 'notification.sent'],
      ];
      const told = await eventually(async () => {
        const answer = await story('order', order.id);
        return answer.types.length === chain.length ? answer : undefined;
      });
      expect(told.types).toEqual(chain);
      expect(told.code).toBe(0);
      expect(told.said).toContain(`    ${sku}: 1 released -> on hand 3, reserved 0, sold 0`);
      expect(told.said).toContain('    by app:order, because of stock.released (inventory)');
      const { said } = await story('stock', WEB, sku);
      expect(said.filter((line) => line.includes('-> on hand')).at(-1)).toMatch(/released +1 -> on hand 3, reserved 0/);
      expect((await story('order', '00000000-0000-4000-8000-000000000000')).said).toEqual([
        'There is no order 00000000-0000-4000-8000-000000000000.',
      ]);
    } finally {
      rmSync(data, { recursive: true });
    }
  }, 30_000);

  it('tells of a product and of a shop', async () => {
    const [sku, id] = [unique('sku'), unique('shop')];
    const product = `/api/v1/products/${sku}`;
    await world.admin.call('POST', '/api/v1/products', { body: productNamed(sku) });
    await world.admin.call('PUT', product, {
      body: productNamed(sku, { name: 'Another name' }),
      headers: { 'if-match': etagOf(await world.admin.send('GET', product)) },
    });
    const [defined] = await expectHistory(product, ['product.defined', 'product.defined']);
    expect(expectStatus(await at(product, defined?.at ?? ''), 200).body).toMatchObject({ name: `Test product ${sku}` });

    const shop = { id, name: 'First', kind: 'store', currency: 'USD', timeZone: 'UTC' };
    await world.admin.call('POST', '/api/v1/shops', { body: shop });
    await world.admin.call('PUT', `/api/v1/shops/${id}`, {
      body: { ...shop, name: 'Second' },
      headers: { 'if-match': etagOf(await world.admin.send('GET', `/api/v1/shops/${id}`)) },
    });
    const [opened] = await expectHistory(`/api/v1/shops/${id}`, ['shop.opened', 'shop.changed']);
    expect(expectStatus(await at(`/api/v1/shops/${id}`, opened?.at ?? ''), 200).body).toEqual(shop);
  });

  it('tells of a shelf that moved fifty times, page by page', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 1 });
    for (let n = 1; n < 50; n += 1) await receive(world.admin, SHOP, [sku], 1);
    const shelf = `/api/v1/inventory/${SHOP}/${sku}`;
    const told = await expectHistory(
      shelf,
      Array.from({ length: 50 }, () => 'item.received'),
    );
    for (const { at: instant } of [told[4], told[20], told[40]].filter((event) => event !== undefined)) {
      const onHand = told.filter((event) => event.at <= instant).length;
      expect(expectStatus(await at(shelf, instant), 200).body).toMatchObject({ onHand });
    }
  }, 60_000);

  it('tells nobody but auditors', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 1 });
    const paths = [`/api/v1/products/${sku}`, `/api/v1/shops/${OTHER_SHOP}`, `/api/v1/inventory/${SHOP}/${sku}`];
    for (const path of paths) {
      for (const gateway of [world.customer, world.cashier, world.till(SHOP)]) {
        expectProblem(await gateway.send('GET', `${path}/events`), 403);
        expectProblem(await gateway.send('GET', path, { query: { at: FUTURE } }), 403);
      }
      expectProblem(await world.anybody.send('GET', `${path}/events`), 401);
      expectProblem(await world.anybody.send('GET', path, { query: { at: FUTURE } }), 401);
    }
    for (const none of ['products', 'shops', 'orders', 'payments', `inventory/${SHOP}`]) {
      expectProblem(await world.admin.send('GET', `/api/v1/${none}/${unique('none')}/events`), 404);
      expectProblem(await at(`/api/v1/${none}/${unique('none')}`, FUTURE), 404);
    }
  });
}
