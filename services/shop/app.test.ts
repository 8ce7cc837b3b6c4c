import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bearer, type Bench, startBench } from '#kit/testing/bench';
import type { FakeSidecar } from '#kit/testing/fake-sidecar';
import { shopService } from './app.ts';

const writer: Bearer = { perm: ['shop:write'] };

let bench: Bench;
let fake: FakeSidecar;

beforeAll(async () => {
  bench = await startBench(shopService, { name: 'shop' });
  fake = bench.fake;
});
afterEach(() => {
  fake.intercept = undefined;
});
afterAll(() => bench.close());

let ids = 0;
const shopNamed = (id = `shop-${++ids}`) => ({
  id,
  name: 'Corner',
  kind: 'store',
  currency: 'EUR',
  timeZone: 'Europe/Rome',
});
const path = (id: string) => `/api/v1/shops/${id}`;
const post = (body: object, bearer = writer) => bench.as(bearer).post('/api/v1/shops').send(body);
const put = (id: string, body: object, ifMatch?: string) => {
  const sent = bench.as(writer).put(path(id));
  return (ifMatch === undefined ? sent : sent.set('if-match', ifMatch)).send(body);
};

async function everyShop(limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let next: string | null = ''; next !== null; ) {
    const query: string = `limit=${limit}${next === '' ? '' : `&cursor=${next}`}`;
    const { body } = await bench.as().get(`/api/v1/shops?${query}`);
    found.push(...body.items.map(({ id }: { id: string }) => id));
    next = body.next;
  }
  return found;
}

describe('POST /shops', () => {
  test('opens a shop that anyone can read, and publishes it whole', async () => {
    const shop = shopNamed();
    const opened = await post(shop);
    expect(opened.status).toBe(201);
    expect(opened.headers).toMatchObject({ location: path(shop.id), etag: '"1"' });
    const read = await bench.as().get(path(shop.id));
    expect(read.body).toEqual(shop);
    expect((await bench.as().get(path(shop.id)).set('if-none-match', '"1"')).status).toBe(304);
    expect((await bench.as().get(`/internal/shops/${shop.id}`)).body).toEqual(shop);
    expect(fake.published.filter(({ topic }) => topic === 'shops').at(-1)).toMatchObject({
      event: { type: 'retail.shop.opened.v1', data: { version: 1, payload: shop } },
    });
  });

  test('gives an id to a shop without one', async () => {
    const { id: _, ...shop } = shopNamed();
    const { status, body, headers } = await post(shop);
    expect(status).toBe(201);
    expect(body).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), ...shop });
    expect(headers.location).toBe(path(body.id));
  });

  test('opens it once, also when asked many times at once', async () => {
    const shop = shopNamed();
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(shop)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    expect((await post({ ...shop, name: 'Other' })).body).toMatchObject({ code: 'ALREADY_EXISTS', id: shop.id });
    expect((await everyShop(100)).filter((id) => id === shop.id)).toHaveLength(1);
  });

  test('opens many at once, each in the list', async () => {
    const shops = Array.from({ length: 6 }, () => shopNamed());
    const answers = await Promise.all(shops.map((shop) => post(shop)));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(201));
    expect(await everyShop(100)).toEqual(expect.arrayContaining(shops.map(({ id }) => id)));
  });

  test('is still an opening when the answer of the store got lost', async () => {
    fake.intercept = async (method, to, body) => {
      if (!to.endsWith('/transaction')) return undefined;
      fake.intercept = undefined;
      await fetch(`http://127.0.0.1:${fake.port}${to}`, { method, body });
      return 'break';
    };
    const shop = shopNamed();
    expect((await post(shop)).status).toBe(201);
    expect((await everyShop(100)).filter((id) => id === shop.id)).toHaveLength(1);
  });

  test('needs the permission', async () => {
    expect((await bench.as().post('/api/v1/shops').send(shopNamed())).status).toBe(401);
    expect((await post(shopNamed(), { perm: ['order:sell'] })).status).toBe(403);
  });

  test.each<[string, object, string]>([
    ['an id that no path can hold', { id: 'a/b' }, '/id'],
    ['an id that means every shop', { id: 'default' }, '/id'],
    ['an empty id', { id: '' }, '/id'],
    ['an unknown kind', { kind: 'kiosk' }, '/kind'],
    ['a currency in small letters', { currency: 'eur' }, '/currency'],
    ['no currency', { currency: undefined }, '/currency'],
    ['a time zone on Mars', { timeZone: 'Mars/Olympus' }, '/timeZone'],
    ['an offset for a time zone', { timeZone: '+02:00' }, '/timeZone'],
    ['a name that is no text', { name: 1 }, '/name'],
    ['an unknown field', { extra: 1 }, '/extra'],
  ])('refuses %s', async (_, change, pointer) => {
    const answer = await post({ ...shopNamed(), ...change });
    expect(answer.body).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });
});

describe('PUT /shops/{id}', () => {
  test('changes the version that the client knows, and only that', async () => {
    const shop = shopNamed();
    await post(shop);
    expect((await put(shop.id, shop)).status).toBe(428);
    const changed = await put(shop.id, { ...shop, name: 'Renamed' }, '"1"');
    expect(changed.body).toEqual({ ...shop, name: 'Renamed' });
    expect(changed.headers.etag).toBe('"2"');
    expect((await put(shop.id, shop, '"1"')).body).toMatchObject({ code: 'PRECONDITION_FAILED', current: 2 });
    const { body } = await bench.as().get('/api/v1/shops?limit=100');
    expect(body.items.find(({ id }: { id: string }) => id === shop.id).name).toBe('Renamed');
  });

  test('never changes the currency', async () => {
    const shop = shopNamed();
    await post(shop);
    const answer = await put(shop.id, { ...shop, currency: 'USD' }, '"1"');
    expect(answer.body).toMatchObject({ status: 422, code: 'CURRENCY_MISMATCH', currency: 'EUR' });
  });

  test('takes no other id than that of the path, and no unknown one', async () => {
    const { id, ...shop } = shopNamed();
    expect((await put(id, shop, '"1"')).status).toBe(404);
    await post({ id, ...shop });
    expect((await put(id, { ...shop, id: 'other' }, '"1"')).body).toMatchObject({
      status: 400,
      errors: [{ pointer: '/id' }],
    });
    expect((await put(id, { ...shop, name: '' }, '"1"')).body.name).toBe('');
  });
});

describe('GET /shops', () => {
  test('pages without losing or repeating one', async () => {
    const all = await everyShop(100);
    expect(all.length).toBeGreaterThan(5);
    expect(all).toEqual([...all].sort());
    expect(await everyShop(2)).toEqual(all);
    expect((await bench.as().get('/api/v1/shops?cursor=nonsense')).status).toBe(400);
  });

  test('knows what is not there', async () => {
    expect((await bench.as().get(path('none'))).body.code).toBe('NOT_FOUND');
    expect((await bench.as().get('/internal/shops/none')).body.code).toBe('NOT_FOUND');
  });
});
