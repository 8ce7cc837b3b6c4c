import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bearer, type Bench, startBench } from '#kit/testing/bench';
import type { FakeSidecar } from '#kit/testing/fake-sidecar';
import { productService } from './app.ts';

const STORE = 'statestore-product';
const writer: Bearer = { perm: ['product:write'] };

let bench: Bench;
let fake: FakeSidecar;

beforeAll(async () => {
  bench = await startBench(productService, { name: 'product' });
  fake = bench.fake;
});
afterEach(() => {
  fake.intercept = undefined;
});
afterAll(() => bench.close());

let skus = 0;
const newSku = () => `sku-${++skus}`;
const tea = (sku: string) => ({
  sku,
  name: 'Green tea',
  department: '',
  attributes: { leaf: 'green' },
  prices: [{ shopId: 'default', amount: 250, currency: 'USD' }],
});
const path = (sku: string) => `/api/v1/products/${encodeURIComponent(sku)}`;
const post = (body: object, bearer = writer) => bench.as(bearer).post('/api/v1/products').send(body);
const put = (to: string, body: object, ifMatch?: string) => {
  const sent = bench.as(writer).put(to);
  return (ifMatch === undefined ? sent : sent.set('if-match', ifMatch)).send(body);
};
const batch = (items: unknown[]) => bench.as(writer).post('/api/v1/products/batch').send({ items });

describe('POST /products', () => {
  test('creates a product that anyone can read, and publishes it whole', async () => {
    const product = tea('a b ü');
    const created = await post(product);
    expect(created.status).toBe(201);
    expect(created.headers).toMatchObject({ location: path('a b ü'), etag: '"1"' });
    const read = await bench.as().get(path('a b ü'));
    expect(read.body).toEqual(product);
    expect(read.headers.etag).toBe('"1"');
    expect((await bench.as().get(path('a b ü')).set('if-none-match', '"1"')).status).toBe(304);
    expect(fake.published.at(-1)).toMatchObject({
      topic: 'products',
      partitionKey: expect.stringMatching(/^products-[0-7]$/),
      event: { type: 'retail.product.defined.v1', data: { version: 1, actor: 'someone', payload: product } },
    });
  });

  test('does not create it twice, also when asked many times at once', async () => {
    const product = tea(newSku());
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(product)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    expect((await post({ ...product, name: 'Other' })).body).toMatchObject({
      code: 'ALREADY_EXISTS',
      sku: product.sku,
    });
    expect((await bench.as().get(path(product.sku))).body.name).toBe('Green tea');
  });

  test('is still a creation when the answer of the store got lost', async () => {
    fake.intercept = async (method, to, body) => {
      if (!to.endsWith('/transaction')) return undefined;
      fake.intercept = undefined;
      await fetch(`http://127.0.0.1:${fake.port}${to}`, { method, body });
      return 'break';
    };
    const created = await post(tea(newSku()));
    expect(created.status).toBe(201);
    expect(created.headers.etag).toBe('"1"');
  });

  test('needs the permission', async () => {
    const product = tea(newSku());
    expect((await bench.as().post('/api/v1/products').send(product)).status).toBe(401);
    expect((await post(product, { perm: ['order:sell'] })).status).toBe(403);
    expect((await bench.as().get(path(product.sku))).status).toBe(404);
  });

  const price = { shopId: 'default', amount: 1, currency: 'USD' };
  test.each<[string, object, string]>([
    ['no sku', { sku: undefined }, '/sku'],
    ['an empty sku', { sku: '' }, '/sku'],
    ['a sku that no path can hold', { sku: 'a/b' }, '/sku'],
    ['a sku that is a step in a path', { sku: '..' }, '/sku'],
    ['a sku of 65 characters', { sku: 'x'.repeat(65) }, '/sku'],
    ['no name', { name: undefined }, '/name'],
    ['a name that is no text', { name: 1 }, '/name'],
    ['an unknown field', { colour: 'red' }, '/colour'],
    ['attributes that are a list', { attributes: [] }, '/attributes'],
    ['a negative price', { prices: [{ ...price, amount: -1 }] }, '/prices/0/amount'],
    ['half a cent', { prices: [{ ...price, amount: 0.5 }] }, '/prices/0/amount'],
    ['a price of 2^53', { prices: [{ ...price, amount: 2 ** 53 }] }, '/prices/0/amount'],
    ['a price as text', { prices: [{ ...price, amount: '1' }] }, '/prices/0/amount'],
    ['a currency in small letters', { prices: [{ ...price, currency: 'usd' }] }, '/prices/0/currency'],
    ['a currency that does not exist', { prices: [{ ...price, currency: 'XXX' }] }, '/prices/0/currency'],
    ['a day for an instant', { prices: [{ ...price, validFrom: '2026-01-01' }] }, '/prices/0/validFrom'],
    ['two prices for one shop', { prices: [price, { ...price, amount: 2 }] }, '/prices/1'],
  ])('refuses %s', async (_, change, pointer) => {
    const answer = await post({ ...tea(newSku()), ...change });
    expect(answer.body).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });

  test('refuses more than a document can take', async () => {
    const answer = await post({ ...tea(newSku()), attributes: { text: 'x'.repeat(10_000) } });
    expect(answer.body).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  });
});

describe('PUT /products/{sku}', () => {
  test('replaces the version that the client knows, and only that', async () => {
    const { prices, ...product } = tea(newSku());
    await post({ ...product, prices });
    const to = path(product.sku);
    expect((await put(to, product)).body.code).toBe('PRECONDITION_REQUIRED');
    const changed = await put(to, { ...product, name: 'Sencha' }, '"1"');
    expect(changed.headers.etag).toBe('"2"');
    expect(changed.body).toEqual({ ...product, name: 'Sencha', prices });
    expect((await put(to, product, '"1"')).body).toMatchObject({ code: 'PRECONDITION_FAILED', current: 2 });
    const both = await Promise.all(['a', 'b'].map((name) => put(to, { ...product, name }, '"2"')));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  test('leaves the version when nothing changes', async () => {
    const product = tea(newSku());
    await post(product);
    expect((await put(path(product.sku), product, '"1"')).headers.etag).toBe('"1"');
  });

  test('takes no other sku than that of the path, and no unknown one', async () => {
    const product = tea(newSku());
    expect((await put(path(product.sku), product, '"1"')).status).toBe(404);
    await post(product);
    const answer = await put(path(product.sku), tea('other'), '"1"');
    expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer: '/sku' }] });
  });
});

describe('PUT /products/{sku}/prices/{shopId}', () => {
  test('sets the price of a shop and of all others', async () => {
    const product = tea(newSku());
    await post(product);
    const to = (shopId: string) => `${path(product.sku)}/prices/${shopId}`;
    const body = { amount: 0, currency: 'USD' };
    expect((await put(to('shop-1'), body)).status).toBe(428);
    expect((await put(to('shop-1'), { ...body, amount: -1 }, '"1"')).status).toBe(400);
    expect((await put(to('s'.repeat(65)), body, '"1"')).status).toBe(400);
    const own = await put(to('shop-1'), body, '"1"');
    expect(own.body.prices).toEqual([...product.prices, { shopId: 'shop-1', ...body }]);
    expect(own.headers.etag).toBe('"2"');
    expect(fake.published.at(-1)).toMatchObject({
      event: { type: 'retail.product.priced.v1', data: { payload: own.body } },
    });
    expect((await put(to('default'), body, '"1"')).status).toBe(412);
    expect((await put(to('default'), body, '"2"')).body.prices[0]).toEqual({ shopId: 'default', ...body });
    expect((await put(`${path(newSku())}/prices/default`, body, '"1"')).status).toBe(404);
  });
});

describe('POST /products/batch', () => {
  test('tells of each item what became of it, in order', async () => {
    const [known, fresh] = [tea(newSku()), tea(newSku())];
    await post(known);
    const items = [
      known,
      { ...fresh, prices: [{ shopId: 'default', amount: -5, currency: 'USD' }] },
      null,
      fresh,
      { ...fresh, name: 'Second' },
      { ...fresh, name: 'Second' },
      { sku: 'lost', extra: 1 },
      { ...known, attributes: { text: 'x'.repeat(10_000) } },
      { ...known, name: 'Third' },
    ];
    const answer = await batch(items);
    expect(answer.status).toBe(200);
    const detail = expect.any(String);
    expect(answer.body.results).toEqual([
      { sku: known.sku, outcome: 'unchanged' },
      { sku: fresh.sku, outcome: 'refused', code: 'VALIDATION_FAILED', detail },
      { sku: '', outcome: 'refused', code: 'VALIDATION_FAILED', detail },
      { sku: fresh.sku, outcome: 'created' },
      { sku: fresh.sku, outcome: 'updated' },
      { sku: fresh.sku, outcome: 'unchanged' },
      { sku: 'lost', outcome: 'refused', code: 'VALIDATION_FAILED', detail },
      { sku: known.sku, outcome: 'refused', code: 'VALIDATION_FAILED', detail },
      { sku: known.sku, outcome: 'updated' },
    ]);
    expect((await bench.as().get(path(fresh.sku))).body.name).toBe('Second');
    expect((await bench.as().get(path(known.sku))).headers.etag).toBe('"2"');
  });

  test('takes 1 to 500 items', async () => {
    const items = Array.from({ length: 501 }, () => tea(newSku()));
    expect((await batch(items)).status).toBe(400);
    expect((await batch([])).status).toBe(400);
    const before = fake.calls.filter((call) => call.endsWith('/transaction')).length;
    const { results } = (await batch(items.slice(0, 500))).body;
    expect(results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(Array(500).fill('created'));
    expect(fake.calls.filter((call) => call.endsWith('/transaction')).length - before).toBe(6);
  });

  test('can be sent again when it broke half-way', async () => {
    const items = Array.from({ length: 95 }, () => tea(newSku()));
    let transactions = 0;
    fake.intercept = (_, to) => (to.endsWith('/transaction') && ++transactions > 1 ? { status: 503 } : undefined);
    expect((await batch(items)).status).toBe(503);
    fake.intercept = undefined;
    const outcomes = (await batch(items)).body.results.map(({ outcome }: { outcome: string }) => outcome);
    expect(outcomes).toEqual([...Array(90).fill('unchanged'), ...Array(5).fill('created')]);
  });

  test('does not take a stale bulk read for the truth', async () => {
    const [old, fresh] = [tea(newSku()), tea(newSku())];
    await post(old);
    const key = fake
      .keys(STORE)
      .find(
        (name) =>
          name.startsWith('product:') && (fake.peek(STORE, name) as { state: { sku: string } }).state.sku === old.sku,
      ) as string;
    const stale = { key, data: fake.peek(STORE, key), etag: 'stale' };
    await put(path(old.sku), { ...old, name: 'Newer' }, '"1"');
    fake.intercept = (_, to) => {
      if (!to.endsWith('/bulk')) return undefined;
      fake.intercept = undefined;
      return { status: 200, body: [stale] };
    };
    const { results } = (await batch([old, fresh])).body;
    expect(results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['updated', 'created']);
    expect((await bench.as().get(path(old.sku))).body.name).toBe(old.name);
  });
});

test('what is sold and charged is read from the store, never from the cache', async () => {
  const product = tea(newSku());
  await post(product);
  fake.calls.length = 0;
  await bench.as().get(path(product.sku));
  await bench
    .as()
    .post('/internal/prices')
    .send({ questions: [{ shopId: 'web', skus: [product.sku] }] });
  const stores = fake.calls.flatMap((call) => /state\/([\w-]+)/.exec(call)?.[1] ?? []);
  expect(stores).toEqual([STORE, STORE]);
});

describe('POST /internal/prices', () => {
  test('answers each sku in order, with what counts at the shop now', async () => {
    const [own, unpriced] = [tea(newSku()), { ...tea(newSku()), department: 'GROCERY', prices: [] }];
    await post({
      ...own,
      prices: [
        ...own.prices,
        { shopId: 'shop-1', amount: 0, currency: 'USD' },
        { shopId: 'shop-1', amount: 9, currency: 'USD', validFrom: '2999-01-01T00:00:00Z' },
      ],
    });
    await post(unpriced);
    const skus = [unpriced.sku, 'no such sku', own.sku, own.sku, 'x'.repeat(2_000), '../\u0001'];
    const ask = (...questions: object[]) => bench.as().post('/internal/prices').send({ questions });
    const answer = await ask({ shopId: 'shop-1', skus });
    expect(answer.status).toBe(200);
    const priced = { sku: own.sku, known: true, name: 'Green tea', department: '', amount: 0, currency: 'USD' };
    expect(answer.body.answers[0].prices).toEqual([
      { sku: unpriced.sku, known: true, name: 'Green tea', department: 'GROCERY' },
      { sku: 'no such sku', known: false },
      priced,
      priced,
      { sku: 'x'.repeat(2_000), known: false },
      { sku: '../\u0001', known: false },
    ]);
    const several = await ask(
      { shopId: 'shop-2', skus: [own.sku] },
      { shopId: 'shop-1', skus: [own.sku], at: '2999-01-01T00:00:00Z' },
      { shopId: 'shop-1', skus: [] },
    );
    const amounts = several.body.answers.map(({ prices }: { prices: { amount: number }[] }) => prices[0]?.amount);
    expect(amounts).toEqual([250, 9, undefined]);
  });
});
