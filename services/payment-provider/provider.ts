// The card provider as the payment service sees it: capture, refund, look up. A refusal is a value; only not knowing throws.
import Stripe from 'stripe';
import {
  type Asked,
  type Cancelled,
  type Captured,
  type Declined,
  type Pending,
  type Refunded,
  type Refused,
  readDecline,
  readIntent,
  readRefund,
  readRefusal,
} from './answers.ts';
import { faultOf, ProviderFault } from './provider-fault.ts';

/** Money in minor units; `currency` as ISO 4217 (`USD`). `token` is the card's token: it is passed on, never kept or logged. */
export type CaptureRequest = Asked & { orderId: string; token: string };
export type RefundRequest = Asked & { providerRef: string; refundId: string };
export type LookupRequest = { paymentId: string; providerRef?: string | undefined };

export type CaptureOutcome = Captured | Declined | Refused;
export type RefundOutcome = Refunded | Refused;
/** `absent`: the provider knows nothing of it *yet*. A capture under way may still arrive: only its repeat settles that. */
export type LookupOutcome =
  | (Captured & { refunds: KnownRefund[] })
  | Declined
  | Cancelled
  | Pending
  | { outcome: 'absent' };
export type KnownRefund = { refundRef: string; refundId: string | null; amount: number; status: string };

export type CardProvider = {
  /**
   * Takes the money at once. The key is the payment id: any number of repeats captures once, for the 24 hours that Stripe
   * keeps keys (API reference, "Idempotent requests"). @throws ProviderFault when the outcome is not known
   */
  capture(request: CaptureRequest): Promise<CaptureOutcome>;
  /** Gives money back, once per refund id. @throws ProviderFault when the outcome is not known */
  refund(request: RefundRequest): Promise<RefundOutcome>;
  /** What the provider knows of a payment, by its reference, else by our id. @throws ProviderFault */
  lookup(request: LookupRequest): Promise<LookupOutcome>;
};

/** The card provider behind a Stripe client. */
export function cardProvider(stripe: Stripe): CardProvider {
  return {
    capture: (request) => knowing(`capture ${request.paymentId}`, () => capture(stripe, request)),
    refund: (request) => knowing(`refund ${request.refundId}`, () => refund(stripe, request)),
    lookup: (request) => knowing(`lookup ${request.paymentId}`, () => lookup(stripe, request)),
  };
}

async function capture(stripe: Stripe, request: CaptureRequest): Promise<CaptureOutcome> {
  try {
    const intent = await stripe.paymentIntents.create(
      {
        amount: request.amount,
        currency: request.currency.toLowerCase(),
        payment_method: request.token,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
        confirm: true,
        // Nobody is there to answer a bank's question: it is a decline (`authentication_required`).
        error_on_requires_action: true,
        metadata: { payment_id: request.paymentId, order_id: request.orderId },
      },
      { idempotencyKey: request.paymentId },
    );
    const state = readIntent(intent, request);
    // A repeat gets the first answer again, for ever "processing"; the intent itself tells how it went on.
    return final(state.outcome === 'pending' ? await retrieved(stripe, state.providerRef, request) : state);
  } catch (error) {
    const refusal = readDecline(error, request) ?? readRefusal(error, 'PAYMENT_REFUSED');
    if (refusal !== undefined) return refusal;
    // The key was used with another token (the customer prepared a second card): what counts is what was done then.
    if (error instanceof Stripe.errors.StripeIdempotencyError) return final(await found(stripe, request));
    throw error;
  }
}

async function refund(stripe: Stripe, request: RefundRequest): Promise<RefundOutcome> {
  try {
    const made = await stripe.refunds.create(
      {
        payment_intent: request.providerRef,
        amount: request.amount,
        metadata: { payment_id: request.paymentId, refund_id: request.refundId },
      },
      { idempotencyKey: request.refundId },
    );
    const state = readRefund(made, request);
    if (state.outcome !== 'pending') return state;
    return settled(readRefund(await stripe.refunds.retrieve(state.refundRef), request));
  } catch (error) {
    const refusal = readRefusal(error, 'REFUND_REFUSED');
    if (refusal === undefined) throw error;
    // "Already refunded" may be our own refund of more than a day ago, whose key is forgotten.
    const earlier = (await refundsOf(stripe, request.providerRef)).find(
      ({ refundId }) => refundId === request.refundId,
    );
    if (earlier?.status !== 'succeeded') return refusal;
    return { outcome: 'refunded', refundRef: earlier.refundRef, amount: earlier.amount };
  }
}

async function lookup(stripe: Stripe, request: LookupRequest): Promise<LookupOutcome> {
  const state = request.providerRef
    ? await retrieved(stripe, request.providerRef, request)
    : await found(stripe, request);
  if (state.outcome !== 'captured') return state;
  return { ...state, refunds: await refundsOf(stripe, state.providerRef) };
}

type State = Captured | Declined | Cancelled | Pending | { outcome: 'absent' };

async function retrieved(stripe: Stripe, id: string, asked: { paymentId: string } & Partial<Asked>): Promise<State> {
  try {
    return readIntent(await stripe.paymentIntents.retrieve(id), asked);
  } catch (error) {
    if (readRefusal(error, 'PAYMENT_REFUSED')?.reason === 'resource_missing') return { outcome: 'absent' };
    throw error;
  }
}

/** The intent of a payment by our id. Stripe's search may lag a minute behind: "absent" is not "never". */
async function found(stripe: Stripe, asked: { paymentId: string } & Partial<Asked>): Promise<State> {
  const query = `metadata['payment_id']:'${asked.paymentId.replace(/[\\']/g, '\\$&')}'`;
  const answer = await stripe.paymentIntents.search({ query, limit: 10 });
  if (!Array.isArray(answer?.data)) throw new ProviderFault('PROVIDER_ANSWER', 'the answer is not a search result');
  const states = answer.data.map((intent) => readIntent(intent, asked));
  return states.find(({ outcome }) => outcome === 'captured') ?? states[0] ?? { outcome: 'absent' };
}

async function refundsOf(stripe: Stripe, providerRef: string): Promise<KnownRefund[]> {
  const answer = await stripe.refunds.list({ payment_intent: providerRef, limit: 100 });
  if (!Array.isArray(answer?.data)) throw new ProviderFault('PROVIDER_ANSWER', 'the answer is not a list of refunds');
  return answer.data.map(({ id, amount, status, metadata }) => ({
    refundRef: id,
    refundId: metadata?.refund_id ?? null,
    amount,
    status: status ?? 'unknown',
  }));
}

function final(state: State): CaptureOutcome {
  switch (state.outcome) {
    case 'captured':
    case 'declined':
      return state;
    case 'cancelled':
      return {
        outcome: 'refused',
        code: 'PAYMENT_REFUSED',
        reason: 'canceled',
        detail: 'The provider has cancelled this payment.',
      };
    default:
      throw new ProviderFault('PROVIDER_PENDING', `the provider has no outcome yet (${state.outcome})`);
  }
}

function settled(state: ReturnType<typeof readRefund>): RefundOutcome {
  if (state.outcome !== 'pending') return state;
  throw new ProviderFault('PROVIDER_PENDING', 'the refund is still under way');
}

/** Whatever is not an outcome becomes a ProviderFault. */
async function knowing<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw faultOf(error, doing);
  }
}
