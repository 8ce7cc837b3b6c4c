import { describe, expect, test } from '@jest/globals';
import { PART_LINES, partsOf } from './receipt.ts';
import { mergedBySku } from './reservation.ts';

describe('the lines of a receipt', () => {
  test('are cut into parts of 1,000', () => {
    const lines = Array.from({ length: 2_500 }, (_, n) => ({ sku: `s${n}`, quantity: 1 }));
    expect(partsOf(lines).map((part) => part.length)).toEqual([PART_LINES, PART_LINES, 500]);
  });

  test('name a sku once in a part, and none is lost', () => {
    const lines = Array.from({ length: 1_500 }, (_, n) => ({ sku: `s${n % 3}`, quantity: 1 }));
    const parts = partsOf(lines);
    for (const part of parts) expect(new Set(part.map(({ sku }) => sku)).size).toBe(part.length);
    expect(mergedBySku(parts.flat())).toEqual(mergedBySku(lines));
  });
});

test('an order that names a sku twice reserves the sum', () => {
  const lines = [
    { sku: 'a', quantity: 1 },
    { sku: 'b', quantity: 2 },
    { sku: 'a', quantity: 3 },
  ];
  expect(mergedBySku(lines)).toEqual([
    { sku: 'a', quantity: 4 },
    { sku: 'b', quantity: 2 },
  ]);
});
