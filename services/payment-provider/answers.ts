// What the provider's answers mean, as pure functions. Nothing is believed that is not what was asked for: the client takes
// any JSON without `error` for a success, also what an open breaker of the sidecar says with status 500.
import Stripe from 'stripe';
import { ProviderFault } from './provider-fault.ts';

/** What was asked: the payment it must be about, and the money in minor units; `currency` as ISO 4217 (`USD`). */
export type Asked = { paymentId: string; amount: number; currency: string };

export type Captured = { outcome: 'captured'; providerRef: string; amount: number; currency: string };
export type Declined = {
  outcome: 'declined';
  code: 'PAYMENT_DECLINED';
  /** The bank's reason: `generic_decline`, `insufficient_funds`, ... */
  declineCode: string;
  /** The provider's sentence for the customer. */
  detail: string;
  providerRef: string | null;
};
/** The provider will not do it, however often it is asked. */
export type Refused = {
  outcome: 'refused';
  code: 'PAYMENT_REFUSED' | 'REFUND_REFUSED';
  reason: string;
  detail: string;
};
export type Cancelled = { outcome: 'cancelled'; providerRef: string };
export type Pending = { outcome: 'pending'; providerRef: string; status: string };
export type Refunded = { outcome: 'refunded'; refundRef: string; amount: number };

/**
 * Where a payment intent stands. With `asked.amount` the money must be exactly that.
 * @throws ProviderFault when this is no payment intent of that payment
 */
export function readIntent(
  answer: unknown,
  asked: { paymentId: string } & Partial<Asked>,
): Captured | Declined | Cancelled | Pending {
  const intent = answer as Partial<Stripe.PaymentIntent> | null;
  const providerRef = intent?.id;
  if (intent?.object !== 'payment_intent' || typeof providerRef !== 'string' || typeof intent.status !== 'string') {
    throw notWhatWasAsked('a payment intent', answer);
  }
  if (intent.metadata?.payment_id !== asked.paymentId) throw notWhatWasAsked('that payment', answer);
  switch (intent.status) {
    case 'succeeded': {
      const amount = intent.amount_received;
      const currency = intent.currency?.toUpperCase();
      if (amount === undefined || currency === undefined) throw notWhatWasAsked('an amount', answer);
      const wrong = (asked.amount ?? amount) !== amount || (asked.currency ?? currency) !== currency;
      if (wrong) throw notWhatWasAsked('that amount', answer);
      return { outcome: 'captured', providerRef, amount, currency };
    }
    case 'requires_payment_method': {
      const error = intent.last_payment_error;
      // Without an error nobody has tried a card yet.
      if (!error) return { outcome: 'pending', providerRef, status: intent.status };
      return declined(error.decline_code ?? error.code, error.message, providerRef);
    }
    case 'canceled':
      return { outcome: 'cancelled', providerRef };
    default:
      return { outcome: 'pending', providerRef, status: intent.status };
  }
}

/** The decline in an error of the client; `undefined` when it is none. @throws ProviderFault for a decline of another payment */
export function readDecline(error: unknown, asked: { paymentId: string }): Declined | undefined {
  if (!(error instanceof Stripe.errors.StripeCardError) || error.rawType !== 'card_error') return undefined;
  const intent = error.payment_intent;
  if (intent !== undefined && intent.metadata?.payment_id !== asked.paymentId) {
    throw notWhatWasAsked('that payment', intent);
  }
  return declined(error.decline_code ?? error.code, error.message, intent?.id ?? null);
}

/** The refusal in an error of the client: a request that can never succeed; `undefined` when it is none. */
export function readRefusal(error: unknown, code: Refused['code']): Refused | undefined {
  if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) return undefined;
  // 404 with another type is not the provider's own answer.
  if (error.rawType !== 'invalid_request_error') return undefined;
  const reason = error.code ?? 'invalid_request';
  // Our words: the provider's repeat the card token (`No such PaymentMethod: '...'`).
  const detail = `The provider refused the request${error.param ? ` because of ${error.param}` : ''}.`;
  return { outcome: 'refused', code, reason, detail };
}

/**
 * Where a refund stands; `pending` is for the caller to ask again.
 * @throws ProviderFault when this is no refund of that payment over that amount
 */
export function readRefund(
  answer: unknown,
  asked: { providerRef: string; refundId: string; amount: number },
): Refunded | Refused | { outcome: 'pending'; refundRef: string } {
  const refund = answer as Partial<Stripe.Refund> | null;
  const refundRef = refund?.id;
  if (refund?.object !== 'refund' || typeof refundRef !== 'string') throw notWhatWasAsked('a refund', answer);
  const right = refund.payment_intent === asked.providerRef && refund.metadata?.refund_id === asked.refundId;
  if (!right || refund.amount !== asked.amount) throw notWhatWasAsked('that refund', answer);
  switch (refund.status) {
    case 'succeeded':
      return { outcome: 'refunded', refundRef, amount: refund.amount };
    case 'failed':
    case 'canceled':
      return {
        outcome: 'refused',
        code: 'REFUND_REFUSED',
        reason: refund.failure_reason ?? refund.status,
        detail: 'The bank did not take the refund.',
      };
    default:
      return { outcome: 'pending', refundRef };
  }
}

function declined(code: string | undefined, message: string | undefined, providerRef: string | null): Declined {
  return {
    outcome: 'declined',
    code: 'PAYMENT_DECLINED',
    declineCode: code ?? 'generic_decline',
    detail: (message ?? 'The card was declined.').slice(0, 200),
    providerRef,
  };
}

function notWhatWasAsked(wanted: string, answer: unknown): ProviderFault {
  const { object, errorCode } = (answer ?? {}) as { object?: unknown; errorCode?: unknown };
  const got = typeof errorCode === 'string' ? `${errorCode} of the sidecar` : String(object ?? typeof answer);
  return new ProviderFault('PROVIDER_ANSWER', `the answer is not ${wanted} but ${got.slice(0, 80)}`);
}
