import { describe, expect, test } from '@jest/globals';
import { given } from '#kit/testing/given';
import { adjust, available, commit, type ItemEvent, items, receive, release, reserve, uncommit } from './item.ts';

const cause = 'reservation:o-1';
const change = (type: ItemEvent['type'], quantity: number) => ({ type, data: { quantity, cause } }) as ItemEvent;
const received = (quantity: number) => change('item.received', quantity);

describe('the stock of a sku', () => {
  test('is reserved as far as it is available', () => {
    given(items, received(5)).when(reserve, { quantity: 5, cause, settled: false }).then(change('item.reserved', 5));
    given(items, received(5))
      .when(reserve, { quantity: 6, cause, settled: false })
      .refuses('STOCK_INSUFFICIENT', { available: 5 });
    given(items, received(5), change('item.reserved', 3))
      .when(reserve, { quantity: 3, cause, settled: false })
      .refuses('STOCK_INSUFFICIENT', { available: 2 });
  });

  test('is found when a sale has already happened', () => {
    given(items, received(1))
      .when(reserve, { quantity: 3, cause, settled: true })
      .then(change('item.found', 2), change('item.reserved', 3));
    given(items)
      .when(reserve, { quantity: 1, cause, settled: true })
      .then(change('item.found', 1), change('item.reserved', 1));
  });

  test('is released, sold and taken back', () => {
    given(items, received(2), change('item.reserved', 2))
      .when(release, { quantity: 2, cause })
      .then(change('item.released', 2));
    given(items, received(2), change('item.reserved', 2))
      .when(commit, { quantity: 2, cause })
      .then(change('item.committed', 2));
    given(items, received(2), change('item.reserved', 2), change('item.committed', 2))
      .when(uncommit, { quantity: 2, cause })
      .then(change('item.uncommitted', 2));
    given(items).when(receive, { quantity: 4, cause }).then(received(4));
  });

  test('is never corrected below what is reserved', () => {
    given(items, received(5), change('item.reserved', 3))
      .when(adjust, { quantity: -2, cause })
      .then(change('item.adjusted', -2));
    given(items, received(5), change('item.reserved', 3))
      .when(adjust, { quantity: -3, cause })
      .refuses('STOCK_INSUFFICIENT', { available: 2 });
  });

  test('balances whatever happens (I1)', () => {
    const types: ItemEvent['type'][] = [
      'item.received',
      'item.found',
      'item.reserved',
      'item.committed',
      'item.uncommitted',
      'item.adjusted',
      'item.arrived',
      'item.dispatched',
      'item.written-off',
      'item.counted',
    ];
    const history = types.map((type, n) => change(type, n === 0 ? 10 : n + 1));
    const item = history.reduce((state, event) => items.evolve(state, event, { version: 1, at: '' }), items.initial);
    const { transferredIn = 0, transferredOut = 0, writtenOff = 0, counted = 0 } = item;
    expect([transferredIn, transferredOut, writtenOff, counted]).toEqual([7, 8, 9, 10]);
    expect(item.onHand + item.sold).toBe(
      item.received + item.found + item.adjusted + counted + transferredIn - transferredOut - writtenOff,
    );
    expect(available(item)).toBe(item.onHand - item.reserved);
  });
});
