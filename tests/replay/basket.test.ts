import { describe, expect, it } from '@jest/globals';
import { readBaskets, readExpected } from '../../stack/demo-data.ts';
import { keyOf, lineOf, orderOf, totalOf } from './basket.ts';
import { FIGURES, sumByShopDay } from './comparison.ts';

const baskets = readBaskets();

describe('a basket as an order', () => {
  it('has line totals equal to the net of the data, for all 2,510 baskets', () => {
    expect(baskets).toHaveLength(2_510);
    for (const basket of baskets) {
      const { lines } = orderOf(basket);
      expect(lines.map(totalOf)).toEqual(basket.lines.map(({ net }) => net));
    }
  });

  it('has integer prices, positive discounts and at most 500 lines', () => {
    const lines = baskets.flatMap((basket) => orderOf(basket).lines);
    expect(lines.every(({ unitPrice }) => Number.isSafeInteger(unitPrice) && (unitPrice ?? -1) >= 0)).toBe(true);
    expect(
      lines
        .flatMap(({ discounts }) => discounts ?? [])
        .every(({ amount }) => Number.isSafeInteger(amount) && amount > 0),
    ).toBe(true);
    expect(Math.max(...baskets.map((basket) => orderOf(basket).lines.length))).toBe(111);
  });

  it('takes the rest off by a manual discount when gross is no multiple of the quantity (3 for $1.00)', () => {
    const line = { sku: 'a', quantity: 3, net: 80, loyaltyDiscount: 15, storeCoupon: 5, manufacturerCoupon: 7 };
    expect(lineOf(line)).toEqual({
      sku: 'a',
      quantity: 3,
      unitPrice: 34,
      discounts: [
        { kind: 'loyalty', amount: 15 },
        { kind: 'storeCoupon', amount: 5 },
        { kind: 'manual', amount: 2 },
      ],
    });
  });

  it('leaves discounts of zero out', () => {
    expect(
      lineOf({ sku: 'a', quantity: 2, net: 100, loyaltyDiscount: 0, storeCoupon: 0, manufacturerCoupon: 0 }).discounts,
    ).toEqual([]);
  });

  it('has a key of its own', () => {
    expect(new Set(baskets.map(keyOf)).size).toBe(baskets.length);
  });
});

describe('the totals of the data', () => {
  it('follow from the baskets, every row', () => {
    const pick = (row: { shopId: string; day: string } & Record<(typeof FIGURES)[number], number>) => [
      row.shopId,
      row.day,
      ...FIGURES.map((figure) => row[figure]),
    ];
    expect(sumByShopDay(baskets).map(pick)).toEqual(readExpected().map(pick));
  });
});
