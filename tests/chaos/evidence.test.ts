import { describe, expect, test } from '@jest/globals';
import type { Order } from '../client/retail.ts';
import { coverageOf, type Disturbance, emptyCells, type History } from './coverage.ts';
import { judgePurchases } from './finding.ts';
import { type PlannedOrder, planOrder } from './orders.ts';
import { randomOf } from './random.ts';
import { recoveryOf, secondsAfter } from './recovery.ts';

const history = (events: Record<string, number>): History => new Map(Object.entries(events));
const disturbed = (hits: string[], from: number, to: number): Disturbance => ({ fault: 'x', hits, from, to });

describe('a cell of the coverage table', () => {
  const sold = history({ 'order.placed': 100, 'stock.reserved': 200, 'payment.captured': 300, 'order.confirmed': 400 });

  test('is filled by an order that was in the step while the process was disturbed, and by no other', () => {
    const cells = coverageOf([sold], [disturbed(['order-2-dapr'], 220, 280)]);
    expect(cells['order-dapr']?.['reserved>captured']).toBe(1);
    expect(cells['order-dapr']?.['placed>reserved']).toBe(0);
    expect(cells['order-dapr']?.['captured>confirmed']).toBe(0);
    expect(cells.order?.['reserved>captured']).toBe(0);
    expect(emptyCells(cells)).not.toContain('order-dapr: reserved>captured');
    expect(emptyCells(cells)).toContain('order: reserved>captured');
  });

  test('is not filled by what a wrong clock wrote', () => {
    const late = history({ 'order.placed': 100, 'stock.reserved': 600_200 });
    expect(coverageOf([late], [disturbed(['order'], 200, 300)]).order?.['placed>reserved']).toBe(0);
  });

  test('tells a release after a decline from one after a cancellation', () => {
    const declined = history({ 'payment.failed': 100, 'stock.released': 200, 'order.cancelled': 300 });
    const row = coverageOf([declined], [disturbed(['broker'], 0, 1_000)]).broker;
    expect([row?.['failed>released'], row?.['released>cancelled'], row?.['cancelled>released']]).toEqual([1, 1, 0]);
  });
});

test('recovery counts who was open at a healing, from the last healing before the end', () => {
  const calms = [
    { from: 1_000, to: 5_000 },
    { from: 9_000, to: Number.POSITIVE_INFINITY },
  ];
  const ended = (placed: number, end: number) => history({ 'order.placed': placed, 'order.confirmed': end });
  expect(secondsAfter(calms, [ended(500, 3_000), ended(500, 11_000), ended(9_500, 9_900), ended(200, 800)])).toEqual([
    2, 2,
  ]);
  expect(recoveryOf([3, 1, 2])).toEqual({ orders: 3, p50: 2, p99: 3, max: 3 });
});

describe('what clients were told', () => {
  const { key, at, request } = planOrder(randomOf(1, 'test'), 'key', 0);
  const planned = (kind: PlannedOrder['kind']): PlannedOrder => ({
    ...{ kind, key, at, request },
    ...(kind === 'cancelled' ? { cancelAfter: 0 } : {}),
  });
  const order = { id: 'o', status: 'placed' } as Order;
  const confirmed = new Map([['o', { id: 'o', status: 'confirmed' } as Order]]);
  const cancelled = (code: string) =>
    new Map([['o', { id: 'o', status: 'cancelled', cancellation: { code } } as Order]]);

  test.each([
    ['a good order is confirmed', { planned: planned('good card'), order }, confirmed, 0],
    ['a good order is not cancelled', { planned: planned('good card'), order }, cancelled('DEADLINE'), 1],
    ['nobody waits for ever', { planned: planned('good card') }, confirmed, 1],
    ['a declined card buys nothing', { planned: planned('declined'), order }, confirmed, 1],
    ['an accepted cancellation cancels', { planned: planned('cancelled'), order, cancel: 'done' }, confirmed, 1],
    [
      'a refused one does not have to',
      { planned: planned('cancelled'), order, cancel: 'ORDER_FULFILLED' },
      confirmed,
      0,
    ],
    [
      'a web customer may be told of missing stock',
      { planned: planned('out of stock'), refused: { status: 409, code: 'STOCK_INSUFFICIENT' } },
      confirmed,
      0,
    ],
    [
      'nothing else is refused',
      { planned: planned('cash'), refused: { status: 404, code: 'NOT_FOUND' } },
      confirmed,
      1,
    ],
  ])('%s', (_, purchase, final, findings) => {
    expect(judgePurchases([purchase], final, false)).toHaveLength(findings);
  });
});
