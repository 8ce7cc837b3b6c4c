import { describe, expect, test } from '@jest/globals';
import { example } from '#kit/testing/example';
import { given } from '#kit/testing/given';
import { entriesOf } from './ledger.ts';
import {
  cancel,
  capture,
  type Due,
  decline,
  type PaymentEvent,
  payments,
  type Reason,
  refund,
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
