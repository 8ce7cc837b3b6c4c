// The list of products as clients ask for it; what it finds is shown by search.test.ts.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Bench, startBench } from '#kit/testing/bench';
import { productService } from './app.ts';
import type { Facets, ProductList } from './views.ts';

let bench: Bench;
const product = { sku: 'listed', name: 'Green tea', attributes: {}, prices: [] };
const asked: unknown[] = [];
const facets: Facets = { department: [{ value: 'GROCERY', count: 2 }], category: [], brand: [] };
const list: ProductList = {
  projection: { topic: 'products', tables: [] },
  shows: async (_, version) => version < 9,
  find: async (search, limit, from) => {
    asked.push({ search, limit, from });
    const next = from ? undefined : { after: 'listed', rank: 3 };
    return { items: [product], next, change: 7 };
  },
  facets: async (search, change) => {
    asked.push({ search, change });
    return facets;
  },
};

beforeAll(async () => {
  bench = await startBench((parts) => productService({ ...parts, list }), { name: 'product' });
});
afterAll(() => bench.close());

test('hands on what is asked, and says when the list is behind', async () => {
  asked.length = 0;
  const first = await bench
    .as()
    .get('/api/v1/products?q=green%20tea&department=&brand=b&limit=1')
    .set('x-min-version', 'sku-1@9');
  expect(first.headers['x-stale']).toBe('true');
  expect(first.body.items).toHaveLength(1);
  const second = await bench.as().get(`/api/v1/products?cursor=${first.body.next}`).set('x-min-version', 'sku-1@8');
  expect(second.headers['x-stale']).toBeUndefined();
  expect(second.body).toEqual({ items: [expect.anything()], next: null });
  expect(asked).toEqual([
    { search: { q: 'green tea', department: '', brand: 'b' }, limit: 1, from: undefined },
    { search: {}, limit: 20, from: { after: 'listed', rank: 3 } },
  ]);
});

test('tells the facets of what is found to who asks for them', async () => {
  asked.length = 0;
  const answer = await bench.as().get('/api/v1/products?q=tea&facets=true');
  expect(answer.body).toEqual({ items: [expect.anything()], next: expect.any(String), facets });
  expect(asked.at(-1)).toEqual({ search: { q: 'tea' }, change: 7 });
  expect((await bench.as().get('/api/v1/products?facets=false')).body.facets).toBeUndefined();
});

test.each([
  `q=${'x'.repeat(201)}`,
  'facets=all',
  'brand=a&brand=b',
  'rank=1',
  'cursor=e30',
])('refuses %s', async (query) => expect((await bench.as().get(`/api/v1/products?${query}`)).status).toBe(400));
