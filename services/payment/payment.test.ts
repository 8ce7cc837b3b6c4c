import { describe, expect, test } from '@jest/globals';
import { example } from '#kit/testing/example';
import { given } from '#kit/testing/given';
import { entriesOf } from './ledger.ts';
import {
  cancel,
  capture,
  type Due,
  decline,
  giveBackFor,
  type PaymentEvent,
  payments,
  type Reason,
  refund,
  refundReturn,
  request,
} from './payment.ts';

const due = example<Due>('payment.requested');
const reason: Reason = { code: 'CUSTOMER_REQUEST', detail: '' };
const { method: _, ...dueUnknownTender } = due;
const requested: PaymentEvent = { type: 'payment.requested', data: due };
const captured: PaymentEvent = { type: 'payment.captured', data: { ...due, providerRef: 'pi_1' } };
const noted: PaymentEvent = { type: 'payment.cancellation-noted', data: { ...due, reason } };
const refunding: PaymentEvent = { type: 'payment.refund-requested', data: { ...due, reason, providerRef: 'pi_1' } };
const voided: PaymentEvent = { type: 'payment.voided', data: { ...dueUnknownTender, reason } };
const cancellation = { due: dueUnknownTender, reason };

describe('a payment', () => {
  test('by card is requested, then captured or declined', () => {
    given(payments).when(request, due).then(requested);
    given(payments, requested).when(request, due).then();
    given(payments, requested).when(capture, { providerRef: 'pi_1' }).then(captured);
    given(payments, requested, captured).when(capture, { providerRef: 'pi_1' }).then();
    given(payments, requested)
      .when(decline, { code: 'PAYMENT_DECLINED', detail: 'no' })
      .then({ type: 'payment.failed', data: { ...due, reason: { code: 'PAYMENT_DECLINED', detail: 'no' } } });
  });

  test('in cash, or of nothing, is there at once', () => {
    const cash = { ...due, method: 'cash' } as const;
    given(payments)
      .when(request, cash)
      .then({ type: 'payment.captured', data: { ...cash, providerRef: null } });
    const free = { ...due, amount: 0 };
    given(payments)
      .when(request, free)
      .then({ type: 'payment.captured', data: { ...free, providerRef: null } });
  });

  test('never happens when the cancellation was heard first', () => {
    given(payments).when(cancel, cancellation).then(voided);
    given(payments, voided).when(request, due).then();
    given(payments, voided).when(cancel, cancellation).then();
  });

  test('captured after a cancellation goes back', () => {
    given(payments, requested).when(cancel, cancellation).then(noted);
    given(payments, requested, noted).when(cancel, cancellation).then();
    given(payments, requested, noted).when(capture, { providerRef: 'pi_1' }).then(captured, refunding);
  });

  test('of a cancelled sale is given back once', () => {
    given(payments, requested, captured).when(cancel, cancellation).then(refunding);
    given(payments, requested, captured, refunding).when(cancel, cancellation).then();
    const refunded: PaymentEvent = { type: 'payment.refunded', data: { ...due, refundRef: 're_1' } };
    given(payments, requested, captured, refunding).when(refund, { refundRef: 're_1' }).then(refunded);
    given(payments, requested, captured, refunding, refunded).when(refund, { refundRef: 're_1' }).then();
  });

  test('in cash goes back over the counter', () => {
    const cash = { ...due, method: 'cash' } as const;
    given(payments, { type: 'payment.captured', data: { ...cash, providerRef: null } })
      .when(cancel, cancellation)
      .then(
        { type: 'payment.refund-requested', data: { ...cash, reason, providerRef: null } },
        { type: 'payment.refunded', data: { ...cash, refundRef: null } },
      );
  });
});

describe('goods that came back', () => {
  const sums = (returnAmount: number, requestedAmount: number, refundedAmount: number) => {
    return { returnAmount, requestedAmount, refundedAmount };
  };
  const asked = (returnId: string, ...amounts: [number, number, number]): PaymentEvent => {
    const data = { ...due, returnId, ...sums(...amounts), providerRef: 'pi_1' };
    return { type: 'payment.return-requested', data };
  };
  const given1 = (returnId: string, ...amounts: [number, number, number]): PaymentEvent => {
    return { type: 'payment.return-refunded', data: { ...due, returnId, ...sums(...amounts), refundRef: 're_1' } };
  };
  const paid = [requested, captured];
  const rest = due.amount - 100;

  test('are paid back by the card, each return once', () => {
    given(payments, ...paid)
      .when(giveBackFor, { returnId: 'a', amount: 100 })
      .then(asked('a', 100, 100, 0));
    const first = [...paid, asked('a', 100, 100, 0)];
    given(payments, ...first)
      .when(giveBackFor, { returnId: 'a', amount: 100 })
      .then();
    given(payments, ...first)
      .when(giveBackFor, { returnId: 'b', amount: rest })
      .then(asked('b', rest, due.amount, 0));
    const second = [...first, asked('b', rest, due.amount, 0)];
    const outcome = (returnId: string) => ({ returnId, refundRef: 're_1' });
    given(payments, ...second)
      .when(refundReturn, outcome('b'))
      .then(given1('b', rest, due.amount, rest));
    given(payments, ...second, given1('b', rest, due.amount, rest))
      .when(refundReturn, outcome('a'))
      .then(given1('a', 100, due.amount, due.amount));
    given(payments, ...second, given1('b', rest, due.amount, rest))
      .when(refundReturn, outcome('b'))
      .then();
    given(payments, ...second, given1('b', rest, due.amount, rest))
      .when(giveBackFor, { returnId: 'b', amount: rest })
      .then();
  });

  test('are paid back in cash at once, and nothing for nothing', () => {
    const cash = { ...due, method: 'cash' } as const;
    const part = { ...cash, returnId: 'a' };
    given(payments, { type: 'payment.captured', data: { ...cash, providerRef: null } })
      .when(giveBackFor, { returnId: 'a', amount: 100 })
      .then(
        { type: 'payment.return-requested', data: { ...part, ...sums(100, 100, 0), providerRef: null } },
        { type: 'payment.return-refunded', data: { ...part, ...sums(100, 100, 100), refundRef: null } },
      );
    given(payments, ...paid)
      .when(giveBackFor, { returnId: 'a', amount: 0 })
      .then();
  });

  test('never cost more than was captured', () => {
    const some = [...paid, asked('a', 100, 100, 0)];
    expect(() => given(payments, ...some).when(giveBackFor, { returnId: 'b', amount: rest + 1 })).toThrow(/ask for/);
    expect(() => given(payments, requested).when(giveBackFor, { returnId: 'a', amount: 1 })).toThrow(/capturing/);
  });

  test('book what went back, an entry for each', () => {
    const entries = entriesOf([asked('a', 100, 100, 0), given1('a', 100, 100, 100), given1('b', 50, 150, 150)], '');
    expect(entries.map(({ key, entry }) => [key, entry.lines])).toEqual(
      [
        ['a', 100],
        ['b', 50],
      ].map(([returnId, amount]) => [
        `ledger:${due.paymentId}:return:${returnId}`,
        [
          { account: 'card-clearing', amount: -Number(amount) },
          { account: `sales:${due.shopId}`, amount },
        ],
      ]),
    );
  });
});

describe('the ledger', () => {
  test('balances every entry, and a refund undoes a capture', () => {
    const refunded: PaymentEvent = { type: 'payment.refunded', data: { ...due, refundRef: 're_1' } };
    const entries = entriesOf([requested, captured, refunding, refunded], '2026-01-01T00:00:00.000Z');
    expect(entries.map(({ key }) => key)).toEqual([
      `ledger:${due.paymentId}:capture`,
      `ledger:${due.paymentId}:refund`,
    ]);
    for (const { entry } of entries) expect(entry.lines.reduce((sum, { amount }) => sum + amount, 0)).toBe(0);
    const cleared = entries.flatMap(({ entry }) => entry.lines).filter(({ account }) => account === 'card-clearing');
    expect(cleared.reduce((sum, { amount }) => sum + amount, 0)).toBe(0);
  });

  test('has no entry for nothing', () => {
    const free: PaymentEvent = { type: 'payment.captured', data: { ...due, amount: 0, providerRef: null } };
    expect(entriesOf([free], '')).toEqual([]);
  });
});
