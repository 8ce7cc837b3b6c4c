// The rules of moving, writing off, counting and watching stock, as sentences.
import { describe, expect, test } from '@jest/globals';
import { given } from '#kit/testing/given';
import {
  arrive,
  basisOf,
  becameLow,
  count,
  dispatch,
  type Item,
  type ItemEvent,
  items,
  watch,
  writeOff,
} from './item.ts';

const cause = 'some:cause';
const change = (type: string, quantity: number) => ({ type, data: { quantity, cause } }) as ItemEvent;
const counted = (quantity: number, expected: number, units: number): ItemEvent => {
  return { type: 'item.counted', data: { quantity, expected, counted: units, cause } };
};
const stateAfter = (...events: ItemEvent[]): Item =>
  events.reduce((item, event) => items.evolve(item, event, { version: 1, at: '' }), items.initial);

const five = change('item.received', 5);
const promised = change('item.reserved', 3);

describe('goods that leave', () => {
  test.each([
    ['dispatched', dispatch],
    ['written off', writeOff],
  ] as const)('are never %s from what is promised', (_, take) => {
    given(items, five, promised)
      .when(take, { quantity: 3, reason: 'stolen', cause })
      .refuses('STOCK_INSUFFICIENT', { available: 2 });
  });

  test('are dispatched and written off as far as they are available, and come back by a negative quantity', () => {
    given(items, five, promised).when(dispatch, { quantity: 2, cause }).then(change('item.dispatched', 2));
    const gone = (quantity: number): ItemEvent => ({
      type: 'item.written-off',
      data: { quantity, reason: 'stolen', cause },
    });
    given(items, five, promised).when(writeOff, { quantity: 2, reason: 'stolen', cause }).then(gone(2));
    const back = stateAfter(five, change('item.dispatched', 2), change('item.dispatched', -2), gone(5), gone(-5));
    expect(back).toMatchObject({ onHand: 5, transferredOut: 0, writtenOff: 0 });
  });

  test('arrive, damaged ones to be written off at once', () => {
    const damaged: ItemEvent = { type: 'item.written-off', data: { quantity: 1, reason: 'damaged', cause } };
    given(items).when(arrive, { quantity: 4, damaged: 1, cause }).then(change('item.arrived', 4), damaged);
    given(items).when(arrive, { quantity: 0, damaged: 0, cause }).then();
  });
});

describe('a count', () => {
  test('posts the difference to the record as it is now', () => {
    given(items, five)
      .when(count, { quantity: 3, cause })
      .then(counted(-2, 5, 3));
    given(items, five)
      .when(count, { quantity: 7, cause })
      .then(counted(2, 5, 7));
    given(items, five)
      .when(count, { quantity: 5, cause })
      .then(counted(0, 5, 5));
  });

  test('is held against what the counter saw: a sale since is no loss', () => {
    const basis = basisOf(stateAfter(five));
    const sold = [change('item.reserved', 2), change('item.committed', 2)];
    given(items, five, ...sold)
      .when(count, { quantity: 5, basis, cause })
      .then(counted(0, 5, 5));
    given(items, five, ...sold)
      .when(count, { quantity: 4, basis, cause })
      .then(counted(-1, 5, 4));
    given(items, five, change('item.received', 9))
      .when(count, { quantity: 4, basis, cause })
      .then(counted(-1, 5, 4));
  });

  test('does not post what another correction has posted since', () => {
    const basis = basisOf(stateAfter(five));
    given(items, five, counted(-2, 5, 3))
      .when(count, { quantity: 3, basis, cause })
      .then(counted(0, 3, 3));
    // A till sold 6 of 5: one was found. Counted before: 6.
    const oversold = [change('item.found', 1), change('item.reserved', 6), change('item.committed', 6)];
    given(items, five, ...oversold)
      .when(count, { quantity: 6, basis, cause })
      .then(counted(0, 6, 6));
  });

  test('leaves on record what is promised', () => {
    given(items, five, promised)
      .when(count, { quantity: 1, cause })
      .then(counted(-2, 5, 1));
    given(items, change('item.received', 3), promised)
      .when(count, { quantity: 0, cause })
      .then(counted(0, 3, 0));
  });
});

describe('low stock', () => {
  const watched: ItemEvent = { type: 'item.threshold-set', data: { lowStockAt: 3, cause } };
  const none: ItemEvent = { type: 'item.threshold-set', data: { lowStockAt: null, cause } };

  test('is watched and not watched any more', () => {
    given(items).when(watch, { lowStockAt: 3, cause }).then(watched);
    given(items, watched).when(watch, { lowStockAt: 3, cause }).then();
    given(items, watched).when(watch, { lowStockAt: null, cause }).then(none);
    given(items).when(watch, { lowStockAt: null, cause }).then();
    expect(stateAfter(watched, none)).toEqual(items.initial);
  });

  test('is noticed when it falls to the threshold, and again only after it rose above', () => {
    const steps = [
      [change('item.reserved', 1), false], // 4 available
      [change('item.reserved', 1), true], // 3
      [change('item.committed', 2), false],
      [change('item.reserved', 1), false], // 2
      [change('item.received', 1), false], // 3: not above
      [change('item.dispatched', 1), false],
      [change('item.received', 3), false], // 5
      [change('item.dispatched', 5), true], // 0
    ] as const;
    let item = stateAfter(five, watched);
    for (const [event, low] of steps) {
      const next = items.evolve(item, event, { version: 1, at: '' });
      expect([event.type, becameLow(item, next)]).toEqual([event.type, low]);
      item = next;
    }
    expect(becameLow(stateAfter(change('item.received', 2)), stateAfter(change('item.received', 2), watched))).toBe(
      true,
    );
    expect(becameLow(stateAfter(five), stateAfter(change('item.received', 0)))).toBe(false);
  });
});
