// What shoppers find, on a real PostgreSQL.
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Fault } from '#kit/errors';
import { until } from '../../tests/conformance/until.ts';
import type { Product } from './product.ts';
import type { Place, Search } from './search.ts';
import { type ProductBench, startProductBench } from './testing/product-bench.ts';

jest.setTimeout(90_000);

const product = (sku: string, name: string, more: Partial<Product> = {}): Product => ({
  ...{ sku, name, attributes: {}, prices: [] },
  ...more,
});

const oldRow = product('old', 'Mozzarella', { department: 'DELI', brand: 'Private' });
let bench: ProductBench;
beforeAll(async () => {
  bench = await startProductBench();
  // As an earlier version left it: no brand, no words of the name, no table of words.
  await bench.database.exec(
    `create table products (id text collate "C" primary key, version bigint not null, department text, category text,
       words tsvector not null, product jsonb not null);
     insert into products values ('old', 3, 'DELI', null, 'old mozzarella deli private', '${JSON.stringify(oldRow)}')`,
  );
  await Promise.all([bench.create(), bench.create()]);
  await bench.create();
});
afterAll(() => bench?.stop());
afterEach(() => bench.database.exec(`delete from products where id <> 'old'`).then(() => undefined));

const find = async (search: Search, limit = 50) => (await bench.list.find(search, limit)).items.map(({ sku }) => sku);
const counted = async (search: Search, field: 'department' | 'category' | 'brand') => {
  const { change } = await bench.list.find(search, 1);
  const facets = await bench.list.facets(search, change);
  return facets[field].map(({ value, count }) => `${value} ${count}`);
};

test('a list of an earlier version is found by all that is new', async () => {
  expect(await find({ brand: 'Private' })).toEqual(['old']);
  expect(await find({ q: 'mozarela' })).toEqual(['old']); // its words are known
  await bench.put([product('deli-1', 'Something of mozzarella'), product('a', 'Ham', { department: 'Mozzarella' })]);
  expect(await find({ q: 'mozzarella' })).toEqual(['deli-1', 'old', 'a']); // it has the word in its name
  await bench.put([oldRow], 2);
  expect(await bench.list.shows('old', 3)).toBe(true); // not set back
});

describe('words', () => {
  test('the exact sku comes first, then whole words, beginnings, mistakes; the name before the rest', async () => {
    await bench.put([
      product('1', 'Zanzibbar'),
      product('2', 'Zanzibarian tea'),
      product('3', 'Tea', { category: 'ZANZIBARIA' }),
      product('4', 'Tea', { department: 'ZANZIBAR' }),
      product('5', 'Zanzibar'),
      product('ZanziBar', 'Coffee'),
      product('6', 'Sansibar'),
    ]);
    expect(await find({ q: 'zanzibar' })).toEqual(['ZanziBar', '5', '4', '2', '3']);
    expect(await find({ q: 'zanziba' })).toEqual(['2', '5', '3', '4', 'ZanziBar', '1']);
    expect(await find({ q: 'zanzibb' })).toEqual(['1', '5', '4', 'ZanziBar']);
  });

  test('every word counts, in any order, field, case and accent', async () => {
    await bench.put([
      product('1', 'Crème Brûlée, 2.5 L', { brand: 'Délice' }),
      product('2', 'Creme', { brand: 'Delice' }),
      product('3', 'Straße 緑茶'),
    ]);
    expect(await find({ q: 'DELICE creme' })).toEqual(['1', '2']);
    expect(await find({ q: 'brulee 2.5 delice' })).toEqual(['1']);
    expect(await find({ q: 'crème tea' })).toEqual([]);
    expect(await find({ q: '緑' })).toEqual(['3']);
    expect(await find({ q: 'STRASSE' })).toEqual([]);
  });

  test.each([
    ['left out', 'choclate'],
    ['too much', 'chocolatte'],
    ['wrong', 'chokolate'],
    ['swapped', 'chocoalte'],
    ['wrong twice in a long word', 'chacolatt'],
    ['first', 'hocolate'],
  ])('a letter may be %s', async (_, q) => {
    await bench.put([product('1', 'Dark Chocolate'), product('2', 'Charcoal'), product('3', 'Dark tea')]);
    expect(await find({ q })).toEqual(['1']);
    expect(await find({ q: `dark ${q}` })).toEqual(['1']);
  });

  test('short words and numbers are taken as they are, and a word that is known is no mistake', async () => {
    await bench.put([product('1', 'Tea'), product('12345', 'Milk'), product('12346', 'Silk'), product('4', 'Mikl')]);
    expect(await find({ q: 'tae' })).toEqual([]);
    expect(await find({ q: '12347' })).toEqual([]);
    expect(await find({ q: 'milk' })).toEqual(['12345']);
    expect(await find({ q: 'mlik' })).toEqual(['12345', '4']);
  });

  test.each([
    [`'`, []],
    [`tea'); drop table products; --`, []],
    [`tea' | 'milk`, []],
    ['tea & !milk', []],
    ['tea:* <-> milk', []],
    ['"tea" \\', ['1']],
    ['%_*', []],
    ['$1', ['1']],
    ['!!! & | :*', []],
    ['x'.repeat(200), []],
    [Array.from({ length: 100 }, (_, n) => String.fromCodePoint(0x61 + (n % 26))).join(' '), []],
    ['tea '.repeat(50), ['1']],
  ])('%p is only text', async (q, skus) => {
    await bench.put([product('1', 'Tea'), product('2', 'Milk')]);
    expect(await find({ q })).toEqual(skus);
    expect(await bench.list.facets({ q }, undefined)).toEqual({ department: [], category: [], brand: [] });
  });

  test('a text of blanks asks for nothing', async () => {
    await bench.put([product('1', 'Tea')]);
    expect(await find({ q: '  ' })).toEqual(['1', 'old']);
  });
});

test('pages go through all ranks without losing or repeating a product', async () => {
  const names = ['Tea', 'Teapot', 'Green tea', 'Black', 'Teaspoon'];
  const all = Array.from({ length: 60 }, (_, n) =>
    product(`p${n}`, names[n % 5] ?? '', n % 5 === 3 ? { department: 'TEA' } : {}),
  );
  await bench.put(all);
  const whole = await find({ q: 'tea' }, 100);
  expect(whole).toHaveLength(60);
  const paged: string[] = [];
  let from: Place | undefined;
  do {
    const { items, next } = await bench.list.find({ q: 'tea' }, 7, from);
    paged.push(...items.map(({ sku }) => sku));
    from = next;
  } while (from);
  expect(paged).toEqual(whole);
});

describe('facets', () => {
  const goods = [
    product('1', 'Tea', { department: 'GROCERY', category: 'HOT', brand: 'National' }),
    product('2', 'Ice tea', { department: 'GROCERY', category: 'COLD', brand: 'Private' }),
    product('3', 'Teapot', { department: 'HOUSE', brand: 'Private' }),
    product('4', 'Soap', { department: 'HOUSE', category: '', brand: 'Private' }),
  ];

  test('count what is found, most first; each heeds the filters of the others', async () => {
    await bench.put(goods);
    expect(await counted({ q: 'tea' }, 'department')).toEqual(['GROCERY 2', 'HOUSE 1']);
    expect(await counted({ q: 'tea' }, 'brand')).toEqual(['Private 2', 'National 1']);
    expect(await counted({ q: 'tea' }, 'category')).toEqual(['COLD 1', 'HOT 1']);
    expect(await counted({ q: 'tea', department: 'GROCERY' }, 'department')).toEqual(['GROCERY 2', 'HOUSE 1']);
    expect(await counted({ q: 'tea', department: 'GROCERY' }, 'brand')).toEqual(['National 1', 'Private 1']);
    expect(await find({ q: 'tea', department: 'GROCERY', brand: 'Private' })).toEqual(['2']);
    expect(await counted({}, 'department')).toEqual(['GROCERY 2', 'HOUSE 2', 'DELI 1']);
    expect(await counted({ q: '!' }, 'brand')).toEqual([]);
  });

  test('are as new as the page that they stand beside, whatever is cached', async () => {
    await bench.put(goods);
    for (let version = 2; version < 6; version += 1) {
      for (let again = 0; again < 2; again += 1) {
        const brands = await counted({ q: 'soap' }, 'brand');
        expect(brands).toEqual([version === 2 ? 'Private 1' : `Brand ${version - 1} 1`]);
      }
      await bench.put([product('4', 'Soap', { brand: `Brand ${version}` })], version);
    }
  });

  test('come from the cache while nothing changes', async () => {
    await bench.put(goods);
    const { change } = await bench.list.find({ q: 'tea' }, 1);
    const counts = await bench.list.facets({ q: 'tea' }, change);
    expect(await bench.list.facets({ q: 'tea', brand: 'Private' }, change)).not.toEqual(counts);
    const before = bench.hits();
    await until(async () => {
      await bench.list.facets({ q: 'tea' }, change);
      return bench.hits() > before;
    });
    await bench.database.exec('alter table products rename to products_away');
    try {
      expect(await bench.list.facets({ q: 'tea' }, change)).toEqual(counts);
      await expect(bench.list.facets({ q: 'tea' }, (change ?? 0) + 1)).rejects.toThrow(Fault);
    } finally {
      await bench.database.exec('alter table products_away rename to products');
    }
  });
});
