import { describe, expect, test } from '@jest/globals';
import { Contracts } from '#kit/events/contracts';
import { example } from '#kit/testing/example';
import { given } from '#kit/testing/given';
import { change, open, type Shop, type ShopEvent, shopIndexes, shops } from './shop.ts';

const corner: Shop = { id: 'corner', name: 'Corner shop', kind: 'store', currency: 'EUR', timeZone: 'Europe/Rome' };
const opened: ShopEvent = { type: 'shop.opened', data: corner };

describe('a shop', () => {
  test('is opened once', () => {
    given(shops).when(open, corner).then(opened);
    given(shops, opened)
      .when(open, { ...corner, name: 'Other' })
      .refuses('ALREADY_EXISTS', { id: 'corner' });
  });

  test('may change its name, kind and time zone', () => {
    const moved: Shop = { ...corner, name: 'Moved', kind: 'warehouse', timeZone: 'UTC' };
    given(shops, opened).when(change, moved).then({ type: 'shop.changed', data: moved });
  });

  test('never changes its currency', () => {
    given(shops, opened)
      .when(change, { ...corner, currency: 'USD' })
      .refuses('CURRENCY_MISMATCH');
  });

  test('does not change into what it is', () => {
    given(shops, opened)
      .when(change, { ...corner })
      .then();
  });

  test('has to be there', () => {
    given(shops).when(change, corner).refuses('NOT_FOUND');
  });
});

test('the index is in order', () => {
  const listed = ['b', 'a', 'C'].map((id) => ({ type: 'shop.listed' as const, data: { id } }));
  const fold = (ids: readonly string[], event: (typeof listed)[number]) =>
    shopIndexes.evolve(ids, event, { version: 1, at: '' });
  expect(listed.reduce(fold, shopIndexes.initial)).toEqual(['C', 'a', 'b']);
});

test('an event may gain fields, and none may be wrong', () => {
  const contracts = new Contracts();
  for (const type of ['shop.opened', 'shop.changed']) {
    contracts.check(type, 1, example(type, { addedLater: 1 }));
    expect(() => contracts.check(type, 1, example(type, { kind: 'kiosk' }))).toThrow('CONTRACT_BROKEN');
  }
});
