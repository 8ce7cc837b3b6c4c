// Access: every route as everyone, for the own and another shop and customer; rights that change; what is over at once.
import { beforeAll, expect, it } from '@jest/globals';
import { permissions } from '#kit/http/permissions';
import { eventually } from '../client/eventually.ts';
import type { Answer, Gateway } from '../client/gateway.ts';
import { bearer, type Session } from '../client/identity.ts';
import { type Page, type PaymentView, placeOrder } from '../client/retail.ts';
import { accessTable, DESTINATION, type Row, type Rule, type Things } from './access-table.ts';
import { expectStatus } from './expectations.ts';
import { newSku, posOrder, unique, webOrder } from './goods.ts';
import { OTHER_SHOP, SHOP, WEB, type World } from './world.ts';

/** Whoever calls, and what the contract gives them. */
interface Person {
  readonly name: string;
  readonly gateway: Gateway;
  readonly can: readonly string[];
  /** `*` is the whole organisation. */
  readonly shop?: string;
}

const cashier = ['order:sell', 'order:price', 'order:read', 'inventory:read', 'payment:read'];
const manager = [...cashier, 'inventory:write', 'order:write', 'report:read'];

/** Milliseconds in which what is over is refused by every service. */
const BITES_WITHIN = 5_000;

export function accessSuite(world: World): void {
  let people: readonly Person[];
  const things: Record<string, Things> = {};

  beforeAll(async () => {
    people = [
      { name: 'nobody', gateway: world.anybody, can: [] },
      { name: 'customer', gateway: world.customer, can: ['order:place'] },
      { name: 'cashier', gateway: world.cashier, can: cashier, shop: SHOP },
      { name: 'manager', gateway: world.manager, can: manager, shop: SHOP },
      { name: 'till', gateway: world.till(SHOP), can: cashier, shop: SHOP },
      { name: 'other till', gateway: world.till(OTHER_SHOP), can: cashier, shop: OTHER_SHOP },
      { name: 'admin', gateway: world.admin, can: permissions, shop: '*' },
    ];
    for (const shopId of [SHOP, OTHER_SHOP, WEB]) {
      const sku = await newSku(world.admin, { shopId, quantity: 5 });
      const seller = shopId === WEB ? world.customer : world.till(shopId);
      const wish = shopId === WEB ? webOrder([sku]) : posOrder(shopId, [sku]);
      const { body: order } = await placeOrder(seller, wish, unique('order'), 10);
      const query = { orderId: order.id };
      const payments = await world.admin.call<Page<PaymentView>>('GET', '/api/v1/payments', { query });
      const transfer = await world.admin.call<{ id: string }>('POST', '/api/v1/inventory/transfers', {
        key: unique('transfer'),
        body: {
          shopId,
          toShopId: DESTINATION,
          receive: false,
          reference: unique('transfer'),
          lines: [{ sku, quantity: 1 }],
        },
      });
      const paymentId = payments.body.items[0]?.id ?? '';
      things[shopId] = { shopId, sku, orderId: order.id, paymentId, transferId: transfer.body.id };
      await world.admin.call('PUT', `/api/v1/inventory/${shopId}/${sku}/threshold`, {
        body: { lowStockAt: 1 },
        headers: { 'if-match': '"0"' },
        repeatable: true,
      });
    }
  });

  function allowed({ name, can, shop }: Person, rule: Rule, { shopId }: Things): boolean {
    if (rule === 'anyone') return true;
    if (rule === 'caller') return name !== 'nobody';
    if (rule.owner && name === 'customer' && shopId === WEB) return true;
    if (!can.includes(rule.can)) return false;
    if (rule.in === 'somewhere') return true;
    return shop === '*' || (rule.in === 'shop' && shop === shopId);
  }

  function addressOf(template: string, { query = '' }: Row, about: Things): string {
    const { shopId, sku, orderId, paymentId, transferId } = about;
    const ids: Record<string, string> = {
      shops: shopId,
      orders: orderId,
      payments: paymentId,
      transfers: transferId,
    };
    const named: Record<string, string> = { shopId, sku, orderId };
    const path = template.replace(/([\w-]+)\/\{(\w+)\}/g, (_, before: string, name: string) => {
      const value = name === 'id' ? ids[before] : named[name];
      return `${before}/${value ?? unique('none').toLowerCase()}`;
    });
    return path.replace('{sku}', sku) + (typeof query === 'string' ? query : query(about));
  }

  async function ask({ gateway }: Person, where: string, row: Row, about: Things) {
    const [method = '', template = ''] = where.split(' ');
    const body = row.body?.(about);
    const headers = { ...row.headers, ...(row.headers?.['idempotency-key'] && { 'idempotency-key': unique('key') }) };
    return gateway.send(method, addressOf(template, row, about), { headers, ...(body !== undefined && { body }) });
  }

  /** What is wrong with the answer that a person got, if anything is. */
  function wrong(person: Person, row: Row, about: Things, { status, body }: Answer): string | undefined {
    const may = allowed(person, row.rule, { ...about, ...(row.at && { shopId: row.at }) });
    const refused = status === 401 || status === 403 || (status === 404 && !row.absent);
    if (may && (refused || status >= 500)) return `${status} although it may`;
    if (!may && !refused) return `${status} although it may not`;
    if (!may && person.name === 'nobody' && status === 403) return '403 without a token';
    if (row.emptyUnless === undefined || !may) return undefined;
    const seen = (body as Page<unknown>).items.length > 0;
    return seen === allowed(person, row.emptyUnless, about) ? undefined : `seen: ${seen}`;
  }

  it('has a row for every route of the document, and for no other', async () => {
    const { body } = await world.anybody.send<{ paths: Record<string, Record<string, unknown>> }>(
      'GET',
      '/openapi.json',
    );
    const methods = new Set(['get', 'post', 'put', 'patch', 'delete']);
    const routes = Object.entries(body.paths).flatMap(([path, operations]) =>
      Object.keys(operations).flatMap((method) => (methods.has(method) ? [`${method.toUpperCase()} ${path}`] : [])),
    );
    expect(Object.keys(accessTable).sort()).toEqual(routes.sort());
  });

  it('lets everyone do what the table says, and nothing else: in the own shop, in another, and on the web', async () => {
    const differences: string[] = [];
    let asked = 0;
    for (const [where, row] of Object.entries(accessTable)) {
      if (row.elsewhere) continue;
      for (const about of Object.values(things)) {
        for (const person of people) {
          const what = wrong(person, row, about, await ask(person, where, row, about));
          asked += 1;
          if (what) differences.push(`${person.name}: ${where} about ${about.shopId}: ${what}`);
        }
      }
    }
    expect(differences).toEqual([]);
    expect(asked).toBeGreaterThan(1_000);
  });

  it('shows nothing of other shops in lists and reports', async () => {
    const { body: orders } = await world.cashier.call<Page<{ shopId: string }>>('GET', '/api/v1/orders', {
      query: { limit: 100 },
    });
    expect(new Set(orders.items.map(({ shopId }) => shopId))).toEqual(new Set([SHOP]));
    const { body: stock } = await world.manager.call<Page<{ shopId: string }>>('GET', '/api/v1/reports/stock', {
      query: { limit: 100 },
    });
    expect(new Set(stock.items.map(({ shopId }) => shopId))).toEqual(new Set([SHOP]));
    const query = { from: '2017-01-01', to: '2099-12-31', groupBy: 'shop' };
    const { body: sales } = await world.manager.call<Page<{ shopId: string }>>('GET', '/api/v1/reports/sales', {
      query,
    });
    expect(sales.items.every(({ shopId }) => shopId === SHOP)).toBe(true);
  });

  /** A call to each service that a token opens. */
  const doors = [
    '/api/v1/orders',
    `/api/v1/inventory/${DESTINATION}`,
    '/api/v1/products',
    '/api/v1/payments?orderId=none',
    '/api/v1/shops',
    '/api/v1/reports/stock',
    '/api/v1/principals/none/grants',
  ];
  const statuses = (token: string) =>
    Promise.all(doors.map(async (path) => (await world.anybody.as(bearer(token)).send('GET', path)).status));
  const bites = (token: string) =>
    eventually(async () => (await statuses(token)).every((status) => status === 401), {
      what: 'the token refused by every service',
      within: BITES_WITHIN,
    });

  it('ends a token within 5 s of its logout, in every service', async () => {
    const login = { email: 'customer@demo.test', password: world.secrets['demo-password'] };
    const { body } = await world.anybody.call<Session>('POST', '/api/v1/auth/login', { body: login, repeatable: true });
    expect(await statuses(body.accessToken)).not.toContain(401);
    expectStatus(await world.anybody.as(bearer(body.accessToken)).send('POST', '/api/v1/auth/logout'), 204);
    await bites(body.accessToken);
  });

  it('takes rights away within 5 s, gives them to the next token, and tells the audit who did it', async () => {
    const id = `till-${DESTINATION}`;
    const tokenOf = async () => {
      const form = { grant_type: 'client_credentials', client_id: id, client_secret: world.secrets[id] ?? '' };
      const { body } = await world.anybody.call<{ access_token: string }>('POST', '/api/v1/auth/token', {
        raw: new URLSearchParams(form).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        repeatable: true,
      });
      return body.access_token;
    };
    const stock = (token: string) => world.anybody.as(bearer(token)).send('GET', `/api/v1/inventory/${DESTINATION}`);
    const path = `/api/v1/principals/${id}/grants`;
    const give = async (grants: readonly object[]) => {
      const { headers } = await world.admin.call('GET', path);
      const sent = { body: { grants }, headers: { 'if-match': headers.etag ?? '' } };
      return expectStatus(await world.admin.send('PUT', path, sent), 200);
    };
    const before = await tokenOf();
    expect((await stock(before)).status).toBe(200);
    await give([]);
    await bites(before);
    const without = await eventually(
      async () => {
        const token = await tokenOf();
        const { status } = await stock(token);
        return status === 401 ? undefined : { token, status };
      },
      { what: 'a token that was given after the change', within: BITES_WITHIN },
    );
    expect(without.status).toBe(403);
    await give([{ role: 'cashier', scope: { kind: 'shop', id: DESTINATION } }]);
    await eventually(async () => (await stock(await tokenOf())).status === 200, {
      what: 'the rights back',
      within: BITES_WITHIN,
    });
    await eventually(
      async () => {
        const { body } = await world.admin.call<Page<{ type: string; actor: string }>>('GET', '/api/v1/audit', {
          query: { subject: id },
        });
        return body.items.filter(({ type }) => type === 'grants.changed').length === 2;
      },
      { what: 'both changes in the audit', within: 10_000 },
    );
  });
}
