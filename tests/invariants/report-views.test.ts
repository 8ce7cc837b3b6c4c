// The checker of the report's views finds what it is there for.
import { expect, test } from '@jest/globals';
import type { Stream } from './evidence.ts';
import { checkReportView, expectedRows } from './report-views.ts';

const stream = (key: string, state: object, events: readonly object[] = []) =>
  [key, { document: { key, id: key.slice(key.indexOf(':') + 1), state }, events } as unknown as Stream] as const;

const streams = {
  order: new Map([
    stream('order:1', {}, [
      { type: 'order.placed' },
      { type: 'order.cancelled', data: { cancellation: { code: 'DEADLINE' } } },
    ]),
  ]),
  inventory: new Map([stream('item:bm9ydGg:bWlsaw', { onHand: 5, reserved: 2 })]),
  payment: new Map([stream('payment:p', { status: 'refunded', captures: [{ amount: 9 }], refunds: [{ amount: 9 }] })]),
};
const lines = [
  { account: 'cash:north', amount: 9 },
  { account: 'sales:north', amount: -9 },
];
const expected = expectedRows(streams, [{ key: 'ledger:p:capture', value: { lines } }]);

test('says what each row should be', () => {
  expect(Object.fromEntries(Object.entries(expected).map(([name, rows]) => [name, [...rows]]))).toEqual({
    stock: [['north/milk', '5/2']],
    payments: [['p', 'refunded/9/9']],
    ledger: [
      ['ledger:p:captured cash:north', '9'],
      ['ledger:p:captured sales:north', '-9'],
    ],
    saga: [['1', 't/f/t/DEADLINE']],
    audit: [],
  });
});

test('finds a row that is wrong, missing or of nothing', () => {
  expect(checkReportView('stock', new Map([['north/milk', '5/2']]), expected.stock)).toEqual([]);
  for (const rows of [[['north/milk', '5/1']], [], [...expected.stock, ['x', '1/0']]] as [string, string][][]) {
    expect(checkReportView('stock', new Map(rows), expected.stock)).toHaveLength(1);
  }
});
