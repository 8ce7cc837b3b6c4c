// The catalogue: products, prices, search and batches.
import { expect, it } from '@jest/globals';
import { eventually } from '../client/eventually.ts';
import type { Product, ProductPage } from '../client/retail.ts';
import { etagOf, expectProblem, expectStatus } from './expectations.ts';
import { letters, productNamed, unique } from './goods.ts';
import { SHOP, type World } from './world.ts';

export function productSuite(world: World): void {
  const path = (sku: string) => `/api/v1/products/${sku}`;
  const create = (product: Product) => world.admin.send<Product>('POST', '/api/v1/products', { body: product });
  const list = (query: Record<string, string>, headers: Record<string, string> = {}) =>
    world.anybody.send<ProductPage>('GET', '/api/v1/products', { query, headers });

  it('creates a product that anyone can read', async () => {
    const product = productNamed(unique('sku'), {
      type: 'TEA',
      department: 'GROCERY',
      category: 'HOT DRINKS',
      brand: 'Private',
      attributes: { leaf: 'green', grams: 100 },
    });
    const created = expectStatus(await create(product), 201);
    expect(created.headers.location).toBe(path(product.sku));
    const read = expectStatus(await world.anybody.send<Product>('GET', path(product.sku)), 200);
    expect(read.body).toMatchObject(product);
    expect(etagOf(read)).toBe(etagOf(created));
  });

  it('answers 304 to a reader who has it already', async () => {
    const product = productNamed(unique('sku'));
    const etag = etagOf(expectStatus(await create(product), 201));
    const again = await world.anybody.send('GET', path(product.sku), { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(again.body).toBeUndefined();
    expect(
      (await world.anybody.send('GET', path(product.sku), { headers: { 'if-none-match': '"other"' } })).status,
    ).toBe(200);
  });

  it('does not create a sku twice', async () => {
    const product = productNamed(unique('sku'));
    expectStatus(await create(product), 201);
    expectProblem(await create(product), 409, 'ALREADY_EXISTS');
    expectProblem(await create({ ...product, name: 'other' }), 409, 'ALREADY_EXISTS');
  });

  it('creates a sku once when asked many times at once', async () => {
    const product = productNamed(unique('sku'));
    const statuses = (await Promise.all(Array.from({ length: 6 }, () => create(product)))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  it('changes a product only for who knows its version', async () => {
    const product = productNamed(unique('sku'));
    const etag = etagOf(expectStatus(await create(product), 201));
    const put = (name: string, ifMatch?: string) =>
      world.admin.send<Product>('PUT', path(product.sku), {
        body: { ...product, name },
        headers: ifMatch ? { 'if-match': ifMatch } : {},
      });
    expectProblem(await put('no version'), 428);
    const changed = expectStatus(await put('changed', etag), 200);
    expect(etagOf(changed)).not.toBe(etag);
    expectProblem(await put('stale', etag), 412);
    expect((await world.anybody.send<Product>('GET', path(product.sku))).body.name).toBe('changed');
    const both = await Promise.all([put('a', etagOf(changed)), put('b', etagOf(changed))]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  it('sets the price of a shop, which wins over the default at that shop', async () => {
    const product = productNamed(unique('sku'));
    const etag = etagOf(expectStatus(await create(product), 201));
    const put = (shopId: string, amount: number, ifMatch: string) =>
      world.admin.send<Product>('PUT', `${path(product.sku)}/prices/${shopId}`, {
        body: { amount, currency: 'USD' },
        headers: { 'if-match': ifMatch },
      });
    const own = await put(SHOP, 199, etag);
    expect([200, 201]).toContain(own.status);
    const base = await put('default', 300, etagOf(own));
    expect([200, 201]).toContain(base.status);
    const { prices } = (await world.anybody.send<Product>('GET', path(product.sku))).body;
    expect(prices.find(({ shopId }) => shopId === SHOP)).toMatchObject({ amount: 199, currency: 'USD' });
    expect(prices.find(({ shopId }) => shopId === 'default')).toMatchObject({ amount: 300 });
    expectProblem(await put(SHOP, -1, etagOf(base)), 400);
  });

  it('takes a batch item by item: one bad item does not stop the others', async () => {
    const [a, b] = [productNamed(unique('sku')), productNamed(unique('sku'))];
    const bad = { ...productNamed(unique('sku')), prices: [{ shopId: 'default', amount: -5, currency: 'USD' }] };
    const batch = (items: unknown[]) =>
      world.admin.send<{ results: Record<string, unknown>[] }>('POST', '/api/v1/products/batch', { body: { items } });
    const { body } = expectStatus(await batch([a, bad, b]), 200);
    expect(body.results).toMatchObject([
      { sku: a.sku, outcome: 'created' },
      { sku: bad.sku, outcome: 'refused', code: expect.any(String) },
      { sku: b.sku, outcome: 'created' },
    ]);
    const again = expectStatus(await batch([a, { ...b, name: 'new name' }]), 200).body;
    expect(again.results).toMatchObject([
      { sku: a.sku, outcome: 'unchanged' },
      { sku: b.sku, outcome: 'updated' },
    ]);
    expectProblem(await world.anybody.send('GET', path(bad.sku)), 404);
    expect((await world.anybody.send<Product>('GET', path(b.sku))).body.name).toBe('new name');
  });

  it('takes 500 items in a batch and refuses 501', async () => {
    const items = Array.from({ length: 501 }, () => productNamed(unique('sku'), { name: 'one of many' }));
    const batch = (some: unknown[]) =>
      world.admin.send<{ results: { outcome: string }[] }>('POST', '/api/v1/products/batch', { body: { items: some } });
    expectProblem(await batch(items), 400);
    const { results } = expectStatus(await batch(items.slice(0, 500)), 200).body;
    expect(results).toHaveLength(500);
    expect(results.every(({ outcome }) => outcome === 'created')).toBe(true);
  });

  it('lists by text, department and category, with own writes visible', async () => {
    const [word, department, category] = [unique('word'), unique('department'), unique('category')];
    const product = productNamed(unique('sku'), { name: `A ${word} of its own`, department, category });
    const etag = etagOf(expectStatus(await create(product), 201));
    const seen = { 'x-min-version': `${product.sku}@${etag.replaceAll('"', '')}` };
    for (const query of [{ q: word }, { department }, { category }, { department, category, q: word }]) {
      const found = await eventually(async () => {
        const answer = await list(query as Record<string, string>, seen);
        return answer.headers['x-stale'] === 'true' ? undefined : answer;
      });
      expect(found.body.items.map(({ sku }) => sku)).toEqual([product.sku]);
    }
    expect((await list({ department, category: unique('none') })).body).toEqual({ items: [], next: null });
  });

  it('pages through a list without losing or repeating an item', async () => {
    const department = unique('department');
    const skus = Array.from({ length: 7 }, () => unique('sku'));
    await world.admin.send('POST', '/api/v1/products/batch', {
      body: { items: skus.map((sku) => productNamed(sku, { department })) },
    });
    await eventually(async () => (await list({ department })).body.items.length === 7);
    const found: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const { body, headers } = await list({ department, limit: '3', ...(cursor === null ? {} : { cursor }) });
      expect(body.items.length).toBeLessThanOrEqual(3);
      if (body.next !== null) expect(headers.link).toMatch(/rel="next"/);
      found.push(...body.items.map(({ sku }) => sku));
      cursor = body.next;
      pages++;
    } while (cursor !== null);
    expect(pages).toBe(3);
    expect(found.sort()).toEqual(skus.sort());
    for (const query of [{ limit: '0' }, { limit: '101' }, { limit: 'x' }, { cursor: 'nonsense' }, { unknown: '1' }])
      expectProblem(await list(query as Record<string, string>), 400);
  });

  it('finds the exact sku first, then whole words, beginnings and mistyped words', async () => {
    const word = `${letters(4)}xy${letters(6)}`;
    const [named, begun, filed] = [unique('sku'), unique('sku'), unique('sku')];
    const made = [
      productNamed(word, { name: 'Test product' }),
      productNamed(begun, { name: `Test ${word}ish` }),
      productNamed(filed, { name: 'Test product', category: word.toUpperCase() }),
      productNamed(named, { name: `Test ${word}` }),
    ];
    await world.admin.send('POST', '/api/v1/products/batch', { body: { items: made } });
    const skusOf = async (query: Record<string, string>) => (await list(query)).body.items.map(({ sku }) => sku);
    await eventually(async () => (await skusOf({ q: word })).length === 4);
    expect(await skusOf({ q: ` ${word.toUpperCase()}` })).toEqual([word, named, filed, begun]);
    expect(await skusOf({ q: `${word} test`, limit: '1' })).toEqual([named]);
    expect(await skusOf({ q: word.slice(0, -1) })).toHaveLength(4);
    for (const typo of [word.replace('xy', 'yx'), word.replace('x', ''), word.replace('x', 'z'), word.slice(1)])
      expect((await skusOf({ q: typo })).sort()).toEqual([word, named, filed].sort());
  });

  it('takes any text as words', async () => {
    const product = productNamed(unique('sku'), { name: `Crème d'${letters(10)} "N° 5"` });
    const [, word = ''] = /d'(\w+)/.exec(product.name) ?? [];
    expectStatus(await create(product), 201);
    const found = async (q: string) => expectStatus(await list({ q }), 200).body.items.map(({ sku }) => sku);
    await eventually(async () => (await found(word)).length === 1);
    for (const q of [`CREME ${word}`, `"crème" d'${word}`, `${word} 5`, `(${word}) & n:*`])
      expect(await found(q)).toEqual([product.sku]);
    for (const q of [`'; drop table products; --${word}`, `${word} | tea`, `!${word} zebra`])
      expect(await found(q)).toEqual([]);
    for (const q of ['%', '\\', "'", ':*', '💶'.repeat(50)]) expect(await found(q)).toEqual([]);
    expectProblem(await list({ q: 'x'.repeat(201) }), 400);
  });

  it('tells how what is found spreads over departments, categories and brands, as it is now', async () => {
    const word = letters(12);
    const [a, b] = [unique('department'), unique('department')];
    const product = (department: string, brand: string) =>
      productNamed(unique('sku'), { name: word, department, category: 'TEA', brand });
    const items = [product(a, 'National'), product(a, 'Private'), product(b, 'Private')];
    await world.admin.send('POST', '/api/v1/products/batch', { body: { items } });
    await eventually(async () => (await list({ q: word })).body.items.length === 3);
    const facets = async (query: Record<string, string> = {}, headers = {}) =>
      (await list({ q: word, facets: 'true', limit: '1', ...query }, headers)).body.facets;
    const brands = [
      { value: 'Private', count: 2 },
      { value: 'National', count: 1 },
    ];
    expect(await facets()).toEqual({
      department: [
        { value: a, count: 2 },
        { value: b, count: 1 },
      ],
      category: [{ value: 'TEA', count: 3 }],
      brand: brands,
    });
    expect(await facets({ brand: 'National' })).toEqual({
      department: [{ value: a, count: 1 }],
      category: [{ value: 'TEA', count: 1 }],
      brand: brands,
    });
    const last = items[2] as Product;
    const { headers } = await world.anybody.send('GET', path(last.sku));
    const changed = expectStatus(
      await world.admin.send('PUT', path(last.sku), {
        body: { ...last, brand: 'National' },
        headers: { 'if-match': String(headers.etag) },
      }),
      200,
    );
    const seen = { 'x-min-version': `${last.sku}@${etagOf(changed).replaceAll('"', '')}` };
    await eventually(async () => (await list({ q: word }, seen)).headers['x-stale'] !== 'true');
    expect((await facets())?.brand).toEqual([
      { value: 'National', count: 2 },
      { value: 'Private', count: 1 },
    ]);
    expect((await list({ q: word })).body).not.toHaveProperty('facets');
  });

  it('lets nobody else write', async () => {
    const product = productNamed(unique('sku'));
    expectProblem(await world.anybody.send('POST', '/api/v1/products', { body: product }), 401);
    for (const gateway of [world.customer, world.cashier, world.till(SHOP)])
      expectProblem(await gateway.send('POST', '/api/v1/products', { body: product }), 403);
    expectProblem(await world.customer.send('POST', '/api/v1/products/batch', { body: { items: [product] } }), 403);
    expectProblem(await world.anybody.send('GET', path(product.sku)), 404);
  });
}
