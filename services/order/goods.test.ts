// What leaves and comes back of an order, and what is given back for it.
import { describe, expect, test } from '@jest/globals';
import { example } from '#kit/testing/example';
import { given } from '#kit/testing/given';
import { chargedFor, fulfil, MOST_PART_LINES, MOST_PARTS, takeBack } from './goods.ts';
import {
  cancel,
  type Fulfilment,
  type OrderEvent,
  type OrderHead,
  type OrderLine,
  type OrderSummary,
  orders,
  placementOf,
  type Return,
  type ReturnedUnits,
} from './order.ts';

const line = (sku: string, quantity: number, total: number): OrderLine => {
  return { sku, quantity, unitPrice: total, discounts: [], total, department: null };
};
/** Three teas for 1.00, in two lines, and two milks that are 0.99 together. */
const summary = example<OrderSummary>('order.confirmed', {
  lines: [line('tea', 2, 67), line('milk', 2, 99), line('tea', 1, 33)],
  ...{ gross: 199, net: 199, settled: false, deadlineAt: '2026-01-01T00:15:00.000Z' },
  ...{ placedAt: '2026-01-01T00:00:00.000Z', occurredAt: null },
});
const { orderId, channel, shopId, customerId, partition, currency, timeZone, occurredAt, placedAt, tender } = summary;
const head: OrderHead = {
  ...{ orderId, channel, shopId, customerId, partition, currency, timeZone, occurredAt, placedAt, tender },
};
const placed: OrderEvent = { type: 'order.placed', data: placementOf(summary) };
const confirmed: OrderEvent = { type: 'order.confirmed', data: { ...summary, paymentId: 'p-1' } };
const cancelled: OrderEvent = {
  type: 'order.cancelled',
  data: { ...summary, cancellation: { code: 'CUSTOMER_REQUEST', detail: '' }, from: 'confirmed' },
};
const sold = [placed, confirmed];

const units = (sku: string, quantity: number) => ({ sku, quantity });
let parts = 0;
const handedOut = (whole: boolean, ...lines: Fulfilment['lines']): OrderEvent => {
  return { type: 'order.fulfilled', data: { ...head, fulfilmentId: `f-${++parts}`, lines, whole } };
};
const back = (sku: string, quantity: number, amount: number, more: Partial<ReturnedUnits> = {}): ReturnedUnits => {
  return { sku, quantity, condition: 'sellable', amount, unfulfilled: 0, ...more };
};
const returned = (whole: boolean, ...lines: Return['lines']): OrderEvent => {
  const amount = lines.reduce((sum, each) => sum + each.amount, 0);
  return { type: 'order.returned', data: { ...head, returnId: 'r-1', reason: 'Too small', lines, amount, whole } };
};
const whole = handedOut(true, units('tea', 3), units('milk', 2));

const hand = (...lines: Fulfilment['lines']) => ({ fulfilmentId: 'f', lines: lines.length > 0 ? lines : undefined });
const handed = (isWhole: boolean, ...lines: Fulfilment['lines']): OrderEvent => {
  return { type: 'order.fulfilled', data: { ...head, fulfilmentId: 'f', lines, whole: isWhole } };
};
type Wanted = Parameters<typeof takeBack>[1]['lines'];
const bring = (...lines: Wanted) => {
  return { returnId: 'r-1', reason: 'Too small', lines, now: '2026-01-20T00:00:00.000Z', windowDays: 30 };
};
const sellable = (sku: string, quantity: number) => ({ sku, quantity, condition: 'sellable' }) as const;
const damaged = (sku: string, quantity: number) => ({ sku, quantity, condition: 'damaged' }) as const;

describe('goods that are handed out', () => {
  test('are all that is left, unless lines are named', () => {
    const all = [units('tea', 3), units('milk', 2)];
    given(orders, ...sold)
      .when(fulfil, hand())
      .then(handed(true, ...all));
    given(orders, ...sold)
      .when(fulfil, hand(units('tea', 2)))
      .then(handed(false, units('tea', 2)));
    given(orders, ...sold, handedOut(false, units('tea', 2)))
      .when(fulfil, hand())
      .then(handed(true, units('tea', 1), units('milk', 2)));
  });

  test('are never more than is left, of nothing that was not ordered, each sku once', () => {
    const part = [...sold, handedOut(false, units('tea', 2))];
    const at = (pointer: string) => ({ errors: [expect.objectContaining({ pointer })] });
    given(orders, ...part)
      .when(fulfil, hand(units('milk', 1), units('tea', 2)))
      .refuses('FULFILMENT_EXCEEDS', at('/lines/1/quantity'));
    given(orders, ...part)
      .when(fulfil, hand(units('rum', 1)))
      .refuses('SKU_NOT_ORDERED', at('/lines/0/sku'));
    given(orders, ...part)
      .when(fulfil, hand(units('milk', 1), units('milk', 1)))
      .refuses('DUPLICATE_LINES', at('/lines/1/sku'));
  });

  test('are those of a confirmed order', () => {
    given(orders).when(fulfil, hand()).refuses('NOT_FOUND');
    given(orders, placed).when(fulfil, hand()).refuses('ORDER_NOT_CONFIRMED');
    given(orders, ...sold, cancelled)
      .when(fulfil, hand())
      .refuses('ORDER_CANCELLED');
    given(orders, ...sold, whole)
      .when(fulfil, hand())
      .refuses('ORDER_FULFILLED');
  });

  test('keep the order from being cancelled, whole or in part, and so do goods that came back', () => {
    const wish = { reason: 'changed my mind' };
    given(orders, ...sold, whole)
      .when(cancel, wish)
      .refuses('ORDER_FULFILLED');
    given(orders, ...sold, handedOut(false, units('tea', 1)))
      .when(cancel, wish)
      .refuses('ORDER_FULFILLED');
    given(orders, ...sold, returned(false, back('tea', 1, 33, { unfulfilled: 1 })))
      .when(cancel, wish)
      .refuses('ORDER_RETURNED');
  });

  test('are not those that were given back before they left', () => {
    const given1 = returned(false, back('tea', 2, 67, { unfulfilled: 2 }));
    given(orders, ...sold, given1)
      .when(fulfil, hand())
      .then(handed(true, units('tea', 1), units('milk', 2)));
    const everything = returned(true, back('tea', 3, 100, { unfulfilled: 3 }), back('milk', 2, 99, { unfulfilled: 2 }));
    given(orders, ...sold, everything)
      .when(fulfil, hand())
      .refuses('FULFILMENT_EXCEEDS');
  });
});

describe('goods that come back', () => {
  test('are paid back in their exact share, the last of a line with what rounding left', () => {
    given(orders, ...sold, whole)
      .when(takeBack, bring(sellable('tea', 1)))
      .then(returned(true, back('tea', 1, 33)));
    given(orders, ...sold, whole, returned(true, back('tea', 1, 33)))
      .when(takeBack, bring(sellable('tea', 1), damaged('milk', 1)))
      .then(returned(true, back('tea', 1, 34), back('milk', 1, 49, { condition: 'damaged' })));
    given(orders, ...sold, whole)
      .when(takeBack, bring(sellable('tea', 2), damaged('tea', 1), sellable('milk', 2)))
      .then(returned(true, back('tea', 2, 67), back('tea', 1, 33, { condition: 'damaged' }), back('milk', 2, 99)));
  });

  test.each([
    [99, 2],
    [100, 3],
    [1, 7],
    [0, 3],
    [999_999_999_999, 1_000_000],
  ])('%d for %d units is all paid back, one by one, each a fair share', (total, quantity) => {
    const order = { lines: [line('a', quantity, total)] };
    const few = Math.min(quantity, 1_000);
    const shares = Array.from({ length: few }, (_, n) => chargedFor(order, 'a', n + 1) - chargedFor(order, 'a', n));
    for (const share of shares) expect(Math.abs(share - total / quantity)).toBeLessThan(1);
    expect(chargedFor(order, 'a', quantity)).toBe(total);
    expect(chargedFor(order, 'a', quantity - 1) + 0).toBeLessThanOrEqual(total);
  });

  test('may be those that were not handed out yet: they are not handed out any more', () => {
    given(orders, ...sold)
      .when(takeBack, bring(sellable('tea', 2)))
      .then(returned(false, back('tea', 2, 67, { unfulfilled: 2 })));
    // What left comes back first.
    given(orders, ...sold, handedOut(false, units('tea', 1), units('milk', 2)))
      .when(takeBack, bring(sellable('tea', 3)))
      .then(returned(true, back('tea', 3, 100, { unfulfilled: 2 })));
    given(orders, ...sold, handedOut(false, units('tea', 2)), returned(false, back('tea', 1, 33)))
      .when(takeBack, bring(sellable('tea', 1), damaged('tea', 1)))
      .then(returned(false, back('tea', 1, 34), back('tea', 1, 33, { condition: 'damaged', unfulfilled: 1 })));
  });

  test('are never more than were bought, over all returns and conditions', () => {
    const at = (pointer: string) => ({ errors: [expect.objectContaining({ pointer })] });
    const once = returned(true, back('tea', 2, 67));
    given(orders, ...sold, whole, once)
      .when(takeBack, bring(sellable('tea', 2)))
      .refuses('RETURN_EXCEEDS', at('/lines/0/quantity'));
    given(orders, ...sold, whole)
      .when(takeBack, bring(sellable('tea', 2), damaged('tea', 2)))
      .refuses('RETURN_EXCEEDS', at('/lines/1/quantity'));
    given(orders, ...sold)
      .when(takeBack, bring(sellable('rum', 1)))
      .refuses('SKU_NOT_ORDERED', at('/lines/0/sku'));
    given(orders, ...sold)
      .when(takeBack, bring(sellable('tea', 1), sellable('tea', 1)))
      .refuses('DUPLICATE_LINES', at('/lines/1/sku'));
  });

  test('are those of a confirmed order', () => {
    given(orders)
      .when(takeBack, bring(sellable('tea', 1)))
      .refuses('NOT_FOUND');
    given(orders, placed)
      .when(takeBack, bring(sellable('tea', 1)))
      .refuses('ORDER_NOT_CONFIRMED');
    given(orders, ...sold, cancelled)
      .when(takeBack, bring(sellable('tea', 1)))
      .refuses('ORDER_CANCELLED');
  });

  test('come within the window: from the sale, or from the last goods that were handed out', () => {
    const at = (now: string) => ({ ...bring(sellable('tea', 1)), now });
    const until = '2026-01-31T00:00:00.000Z';
    const unfulfilled = returned(false, back('tea', 1, 33, { unfulfilled: 1 }));
    given(orders, ...sold)
      .when(takeBack, at(until))
      .then(unfulfilled);
    given(orders, ...sold)
      .when(takeBack, at('2026-01-31T00:00:00.001Z'))
      .refuses('RETURN_WINDOW_CLOSED', { until });
    // Handed out at the third event, two seconds after the first.
    given(orders, ...sold, whole)
      .when(takeBack, at('2026-01-31T00:00:02.000Z'))
      .then(returned(true, back('tea', 1, 33)));
    given(orders, ...sold, whole)
      .when(takeBack, at('2026-01-31T00:00:02.001Z'))
      .refuses('RETURN_WINDOW_CLOSED');
    const longAgo = { ...summary, occurredAt: '2017-02-03T10:00:00Z' };
    given(orders, { type: 'order.placed', data: placementOf(longAgo) }, confirmed)
      .when(takeBack, at('2026-01-01T00:00:01.000Z'))
      .refuses('RETURN_WINDOW_CLOSED', { until: '2017-03-05T10:00:00.000Z' });
  });

  test('end a fulfilment that had begun when nothing is left to hand out', () => {
    const status = (...events: OrderEvent[]) =>
      events.reduce((order, event) => orders.evolve(order, event, { version: 1, at: '' }), orders.initial).status;
    const begun = [...sold, handedOut(false, units('tea', 3))];
    expect(status(...sold, whole)).toBe('fulfilled');
    expect(status(...begun)).toBe('confirmed');
    expect(status(...begun, returned(true, back('milk', 2, 99, { unfulfilled: 2 })))).toBe('fulfilled');
    const neverLeft = returned(true, back('tea', 3, 100, { unfulfilled: 3 }), back('milk', 2, 99, { unfulfilled: 2 }));
    expect(status(...sold, neverLeft)).toBe('confirmed');
  });
});

test('an order is not handed out or returned in so many parts that its document grows without end', () => {
  const many = { ...summary, lines: [line('tea', 10_000, 10_000)], gross: 10_000, net: 10_000 };
  const big: OrderEvent[] = [
    { type: 'order.placed', data: placementOf(many) },
    { type: 'order.confirmed', data: { ...many, paymentId: 'p-1' } },
  ];
  const each = Array.from({ length: MOST_PARTS }, () => handedOut(false, units('tea', 1)));
  given(orders, ...big, ...each)
    .when(fulfil, hand(units('tea', 1)))
    .refuses('TOO_MANY_PARTS');
  given(orders, ...big, ...each)
    .when(takeBack, bring(sellable('tea', 1)))
    .then(returned(false, back('tea', 1, 1)));
  const wide = handedOut(false, ...Array.from({ length: MOST_PART_LINES }, () => units('tea', 1)));
  given(orders, ...big, wide)
    .when(takeBack, bring(sellable('tea', 1)))
    .refuses('TOO_MANY_PARTS');
});
