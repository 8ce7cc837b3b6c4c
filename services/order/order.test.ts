import { describe, expect, test } from '@jest/globals';
import { example } from '#kit/testing/example';
import { given } from '#kit/testing/given';
import {
  type Cancellation,
  cancel,
  confirm,
  expire,
  fail,
  noteRefund,
  type OrderEvent,
  type OrderSummary,
  orders,
  place,
  placedOf,
  placementOf,
} from './order.ts';

const summary = example<OrderSummary>('order.placed', { deadlineAt: '2026-01-01T00:15:00.000Z' });
const placed: OrderEvent = { type: 'order.placed', data: placementOf(summary) };
const confirmed: OrderEvent = { type: 'order.confirmed', data: { ...summary, paymentId: 'p-1' } };
const cancelled = (from: 'placed' | 'confirmed', cancellation: Cancellation): OrderEvent => ({
  type: 'order.cancelled',
  data: { ...summary, cancellation, from },
});
const byRequest: Cancellation = { code: 'CUSTOMER_REQUEST', detail: 'changed my mind' };
const declined: Cancellation = { code: 'PAYMENT_DECLINED', detail: 'no' };

describe('an order', () => {
  test('is placed, then confirmed by the money', () => {
    given(orders).when(place, summary).then(placed);
    given(orders, placed).when(confirm, { paymentId: 'p-1' }).then(confirmed);
    given(orders, placed, confirmed).when(confirm, { paymentId: 'p-1' }).then();
  });

  test('is not confirmed by money that comes after the cancellation', () => {
    given(orders, placed, cancelled('placed', byRequest)).when(confirm, { paymentId: 'p-1' }).then();
  });

  test('fails once, and never after it is confirmed', () => {
    given(orders, placed).when(fail, declined).then(cancelled('placed', declined));
    given(orders, placed, confirmed).when(fail, declined).then();
    given(orders, placed, cancelled('placed', declined)).when(fail, declined).then();
  });

  test('is cancelled on request while the goods are here', () => {
    given(orders, placed).when(cancel, { reason: 'changed my mind' }).then(cancelled('placed', byRequest));
    given(orders, placed, confirmed)
      .when(cancel, { reason: 'changed my mind' })
      .then(cancelled('confirmed', byRequest));
    given(orders, placed, cancelled('placed', declined)).when(cancel, { reason: 'x' }).refuses('ORDER_CANCELLED');
    given(orders).when(cancel, { reason: 'x' }).refuses('NOT_FOUND');
  });

  test('expires at its deadline and not before, and a settled sale never', () => {
    const deadline: Cancellation = { code: 'DEADLINE', detail: 'The order was not decided in time' };
    given(orders, placed).when(expire, { now: '2026-01-01T00:14:59.999Z' }).then();
    given(orders, placed).when(expire, { now: '2026-01-01T00:15:00.000Z' }).then(cancelled('placed', deadline));
    given(orders, placed, confirmed).when(expire, { now: '2027-01-01T00:00:00.000Z' }).then();
    const sale: OrderEvent = {
      type: 'order.placed',
      data: placementOf({ ...summary, settled: true, deadlineAt: null }),
    };
    given(orders, sale).when(expire, { now: '2027-01-01T00:00:00.000Z' }).then();
  });

  test('notes the refund of a cancelled sale once', () => {
    const refunded: OrderEvent = {
      type: 'order.refunded',
      data: { ...summary, cancellation: byRequest, from: 'confirmed', amount: 500 },
    };
    const history = [placed, confirmed, cancelled('confirmed', byRequest)];
    given(orders, ...history)
      .when(noteRefund, { amount: 500 })
      .then(refunded);
    given(orders, ...history, refunded)
      .when(noteRefund, { amount: 500 })
      .then();
    given(orders, placed, confirmed).when(noteRefund, { amount: 500 }).then();
  });

  test('tells where its money is', () => {
    const fold = (...events: OrderEvent[]) =>
      placedOf(events.reduce((order, event) => orders.evolve(order, event, { version: 1, at: '' }), orders.initial))
        .payment;
    expect(fold(placed)).toBe('pending');
    expect(fold(placed, confirmed)).toBe('captured');
    expect(fold(placed, cancelled('placed', declined))).toBe('failed');
    expect(fold(placed, cancelled('placed', byRequest))).toBe('cancelled');
    expect(fold(placed, confirmed, cancelled('confirmed', byRequest))).toBe('refunding');
  });
});
