import { describe, expect, test } from '@jest/globals';
import { Contracts } from '#kit/events/contracts';
import { example } from '#kit/testing/example';
import { given } from '#kit/testing/given';
import { define, type Price, type Product, type ProductEvent, price, priceAt, products, put } from './product.ts';

const tea: Product = {
  sku: 'tea',
  name: 'Green tea',
  department: 'GROCERY',
  attributes: { leaf: 'green' },
  prices: [{ shopId: 'default', amount: 250, currency: 'USD' }],
};
const defined = (product: Product): ProductEvent => ({ type: 'product.defined', data: product });
const priced = (product: Product): ProductEvent => ({ type: 'product.priced', data: product });
const { prices: _, ...withoutPrices } = tea;

describe('a product', () => {
  test('is defined once', () => {
    given(products).when(define, tea).then(defined(tea));
    given(products, defined(tea)).when(define, tea).refuses('ALREADY_EXISTS', { sku: 'tea' });
  });

  test('may have no price', () => {
    given(products)
      .when(define, withoutPrices)
      .then(defined({ ...tea, prices: [] }));
  });

  test('is replaced whole', () => {
    const plain = { sku: 'tea', name: 'Tea', attributes: {}, prices: [] };
    given(products, defined(tea)).when(put, plain).then(defined(plain));
  });

  test('keeps the prices that a new description leaves out', () => {
    const draft = { ...withoutPrices, name: 'Sencha' };
    given(products, defined(tea))
      .when(put, draft)
      .then(defined({ ...tea, name: 'Sencha' }));
  });

  test('does not change when it is described as it is, in whatever order', () => {
    given(products, defined({ ...tea, attributes: { a: 1, b: 2 } }))
      .when(put, { ...tea, attributes: { b: 2, a: 1 } })
      .then();
  });

  test('has a size that its document can take', () => {
    const attributes = { text: 'x'.repeat(10_000) };
    given(products)
      .when(define, { ...tea, attributes })
      .refuses('VALIDATION_FAILED');
  });
});

describe('a price', () => {
  const own: Price = { shopId: 'shop-1', amount: 199, currency: 'USD' };

  test('is added for a shop', () => {
    given(products, defined(tea))
      .when(price, own)
      .then(priced({ ...tea, prices: [...tea.prices, own] }));
  });

  test('takes the place of the one for the same shop and instant, however that is written', () => {
    const was = { ...own, validFrom: '2026-01-01T00:00:00Z' };
    const is = { ...own, validFrom: '2026-01-01T00:00:00.000Z', amount: 0 };
    given(products, defined({ ...tea, prices: [was] }))
      .when(price, is)
      .then(priced({ ...tea, prices: [is] }));
  });

  test('stands beside another that begins later', () => {
    const later = { ...own, validFrom: '2027-01-01T00:00:00Z' };
    given(products, defined({ ...tea, prices: [own] }))
      .when(price, later)
      .then(priced({ ...tea, prices: [own, later] }));
  });

  test('is not set anew when it is the same', () => {
    given(products, defined({ ...tea, prices: [own] }))
      .when(price, { ...own })
      .then();
  });

  test('needs a product', () => {
    given(products).when(price, own).refuses('NOT_FOUND');
  });

  test('does not make a product larger than its document can take', () => {
    const prices = Array.from({ length: 155 }, (_, n) => ({ shopId: `shop-${n}`, amount: n, currency: 'USD' }));
    given(products, defined({ ...tea, prices }))
      .when(price, { ...own, shopId: 's'.repeat(64) })
      .then(priced({ ...tea, prices: [...prices, { ...own, shopId: 's'.repeat(64) }] }));
    const full = Array.from({ length: 200 }, (_, n) => ({ shopId: `shop-${n}`, amount: n, currency: 'USD' }));
    given(products, defined({ ...tea, prices: full }))
      .when(price, { ...own, shopId: 'more' })
      .refuses('VALIDATION_FAILED');
  });
});

describe('the price that counts', () => {
  const at = '2026-06-01T00:00:00.000Z';
  const amount = (prices: Price[], shopId = 'shop-1') => priceAt({ ...tea, prices }, shopId, at)?.amount;
  const usd = (shopId: string, amount: number, validFrom?: string): Price => ({
    shopId,
    amount,
    currency: 'USD',
    validFrom,
  });

  test.each<[string, Price[], number | undefined]>([
    ['none', [], undefined],
    ['the default', [usd('default', 1)], 1],
    ["the shop's own before the default", [usd('default', 1), usd('shop-1', 2)], 2],
    ['a zero too', [usd('default', 1), usd('shop-1', 0)], 0],
    ["not another shop's", [usd('shop-2', 2)], undefined],
    [
      'the newest that has begun',
      [usd('default', 1), usd('default', 2, '2026-05-01T00:00:00Z'), usd('default', 3, '2026-04-01T00:00:00Z')],
      2,
    ],
    ['from its very instant', [usd('default', 1), usd('default', 2, '2026-06-01T00:00:00Z')], 2],
    ['not one of the future', [usd('default', 1), usd('default', 2, '2026-06-01T00:00:00.001Z')], 1],
    ['the default until the own one begins', [usd('default', 1), usd('shop-1', 2, '2026-07-01T00:00:00Z')], 1],
    [
      'an own one of long ago before a new default',
      [usd('shop-1', 2, '2020-01-01T00:00:00Z'), usd('default', 1, '2026-05-01T00:00:00Z')],
      2,
    ],
  ])('is %s', (_, prices, expected) => expect(amount(prices)).toBe(expected));
});

test('an event may gain fields, and none may be wrong or missing', () => {
  const contracts = new Contracts();
  for (const type of ['product.defined', 'product.priced']) {
    contracts.check(type, 1, example(type, { addedLater: true }));
    const [price] = example<Product>(type).prices;
    for (const broken of [
      example(type, { sku: 1 }),
      example(type, { prices: [{ ...price, amount: 0.5 }] }),
      { sku: 'x' },
    ]) {
      expect(() => contracts.check(type, 1, broken)).toThrow('CONTRACT_BROKEN');
    }
  }
});
