import { describe, expect, test } from '@jest/globals';
import { price } from './pricing.ts';

const products = new Map([
  ['tea', { sku: 'tea', known: true, amount: 250, currency: 'USD', department: 'GROCERY' }],
  ['gift', { sku: 'gift', known: true }],
  ['euro', { sku: 'euro', known: true, amount: 100, currency: 'EUR' }],
  ['ghost', { sku: 'ghost', known: false }],
]);
const code = (answer: unknown) => (answer as { refused?: string }).refused;

describe('the price of an order', () => {
  test('is the catalogue price times the quantity', () => {
    expect(price([{ sku: 'tea', quantity: 3 }], products, 'USD')).toMatchObject({
      gross: 750,
      discounts: 0,
      net: 750,
      tax: 0,
    });
  });

  test('is what the till says, less its discounts', () => {
    const discounts = [
      { kind: 'loyalty', amount: 15 },
      { kind: 'manual', amount: 1 },
    ] as const;
    const line = { sku: 'gift', quantity: 3, unitPrice: 34, discounts };
    expect(price([line], products, 'USD')).toMatchObject({ gross: 102, discounts: 16, net: 86 });
  });

  test('may be zero but never negative', () => {
    const free = { sku: 'tea', quantity: 1, unitPrice: 5, discounts: [{ kind: 'manual', amount: 5 }] } as const;
    expect(price([free], products, 'USD')).toMatchObject({ net: 0 });
    const worse = { sku: 'tea', quantity: 1, unitPrice: 5, discounts: [{ kind: 'manual', amount: 6 }] } as const;
    expect(price([worse], products, 'USD')).toMatchObject({ refused: 'LINE_TOTAL_NEGATIVE' });
  });

  test('is refused for what is not known, has no price, or another currency', () => {
    expect(code(price([{ sku: 'ghost', quantity: 1 }], products, 'USD'))).toBe('PRODUCT_UNKNOWN');
    expect(code(price([{ sku: 'never', quantity: 1 }], products, 'USD'))).toBe('PRODUCT_UNKNOWN');
    expect(code(price([{ sku: 'gift', quantity: 1 }], products, 'USD'))).toBe('PRICE_UNKNOWN');
    expect(code(price([{ sku: 'euro', quantity: 1 }], products, 'USD'))).toBe('CURRENCY_MISMATCH');
  });

  test('is refused beyond the integers that are exact', () => {
    const huge = { sku: 'tea', quantity: 1_000_000, unitPrice: Number.MAX_SAFE_INTEGER };
    expect(code(price([huge], products, 'USD'))).toBe('AMOUNT_TOO_LARGE');
  });

  test('is refused when sums over many orders would not be exact', () => {
    const sale = (unitPrice: number) => price([{ sku: 'tea', quantity: 1, unitPrice }], products, 'USD');
    expect(sale(1_000_000_000_000)).toMatchObject({ gross: 1_000_000_000_000 });
    expect(code(sale(1_000_000_000_001))).toBe('AMOUNT_TOO_LARGE');
  });
});
