import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Message } from '#kit/events/message';
import { type FakeSidecar, startFakeSidecar } from '#kit/testing/fake-sidecar';
import { Database } from '#kit/views/database';
import type { Product } from './product.ts';
import { productList } from './views.ts';

const tea: Product = { sku: 'tea', name: 'Thé vert', category: '', attributes: {}, prices: [] };
const statements: { sql: string; params: unknown[] }[] = [];
let rows: unknown[] = [];
let fake: FakeSidecar;

beforeAll(async () => {
  fake = await startFakeSidecar();
  fake.bindings.set('views-product', (operation, { sql = '', params = '[]' }) => {
    statements.push({ sql, params: JSON.parse(params) });
    return operation === 'query' ? [[rows]] : '';
  });
});
afterAll(() => fake.close());

const list = () => productList(new Database(fake.client, 'views-product'));

test('a product becomes one row', () => {
  const byType = list().projection.tables[0]?.rows ?? {};
  expect(Object.keys(byType)).toEqual(['product.defined', 'product.priced']);
  for (const rowsOf of Object.values(byType)) {
    expect(rowsOf({ version: 3, data: tea } as Message<never>)).toEqual([
      { id: 'tea', version: 3, department: null, category: '', words: 'tea the vert', product: tea },
    ]);
  }
});

test('only what is asked for is a condition', async () => {
  rows = [{ product: tea }, { product: { ...tea, sku: 'tee' } }];
  expect(await list().find({ limit: 1 })).toEqual({ items: [tea], more: true });
  expect(statements.at(-1)?.sql).toContain('from products  order by id limit $1');
  expect(statements.at(-1)?.params).toEqual([2]);
  expect(await list().find({ q: "Thé; ' x:*", department: '', category: 'c', after: 'a', limit: 2 })).toMatchObject({
    more: false,
  });
  expect(statements.at(-1)?.sql).toContain(
    'where words @@ $1::tsquery and department = $2 and category = $3 and id > $4 order by id limit $5',
  );
  expect(statements.at(-1)?.params).toEqual(['the:* & x:*', '', 'c', 'a', 3]);
});

test('a search without a word finds nothing', async () => {
  rows = [{ product: tea }];
  expect(await list().find({ q: '!?', limit: 1 })).toEqual({ items: [], more: false });
});
