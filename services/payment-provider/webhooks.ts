// The provider's webhooks: is this signed by it, and what does it tell? Pure but for the clock, which is given.
import Stripe from 'stripe';

/** What a webhook tells. Money in minor units, `currency` as ISO 4217 (`USD`). */
export type ProviderEvent = {
  providerEventId: string;
  kind: 'captured' | 'failed' | 'refunded' | 'cancelled';
  paymentId: string;
  orderId: string;
  providerRef: string;
  /** captured: what was taken. refunded: what has been given back in all, so that doubled or late events do no harm. */
  amount: number;
  currency: string;
  /** ISO 8601 UTC, by the provider's clock. */
  occurredAt: string;
};

export type Webhook =
  | { verdict: 'event'; event: ProviderEvent }
  /** Signed, but nothing of ours: acknowledged, or the provider would send it for days. */
  | { verdict: 'ignored'; type: string }
  | { verdict: 'refused'; reason: 'SIGNATURE_INVALID' | 'NOT_AN_EVENT' };

export type SignatureCheck = {
  /** One secret, or two while it is being changed. */
  secrets: readonly string[];
  /** Seconds that a signature may be old. A replay within them is the same event with the same id. */
  toleranceSeconds: number;
  /** Milliseconds since 1970. */
  now: number;
};

/** Stripe's own default (its documentation, "Verify webhook signatures"). */
export const SIGNATURE_TOLERANCE_SECONDS = 300;

/** The year 9999: what comes later has no ISO 8601 text. */
const LAST_SECOND = 253_402_300_799;

/** Checks `Stripe-Signature` over the bytes as they came, then reads the event. */
export function readWebhook(body: Uint8Array, signature: string | undefined, check: SignatureCheck): Webhook {
  if (signature === undefined) return { verdict: 'refused', reason: 'SIGNATURE_INVALID' };
  const verified = check.secrets.some((secret) => isSigned(body, signature, secret, check));
  if (!verified) return { verdict: 'refused', reason: 'SIGNATURE_INVALID' };
  const event = parse(body);
  if (typeof event?.id !== 'string' || typeof event.type !== 'string' || !event.data?.object) {
    return { verdict: 'refused', reason: 'NOT_AN_EVENT' };
  }
  const told = toProviderEvent(event);
  return told === undefined ? { verdict: 'ignored', type: event.type } : { verdict: 'event', event: told };
}

function isSigned(body: Uint8Array, signature: string, secret: string, check: SignatureCheck): boolean {
  try {
    const { signature: helper } = Stripe.webhooks;
    const { toleranceSeconds, now } = check;
    return helper?.verifyHeader(body, signature, secret, toleranceSeconds, undefined, now) ?? false;
  } catch {
    return false;
  }
}

function toProviderEvent(event: Stripe.Event): ProviderEvent | undefined {
  switch (event.type) {
    case 'payment_intent.succeeded':
      return ofIntent('captured', event, event.data.object, event.data.object.amount_received);
    case 'payment_intent.payment_failed':
      return ofIntent('failed', event, event.data.object, event.data.object.amount);
    case 'payment_intent.canceled':
      return ofIntent('cancelled', event, event.data.object, event.data.object.amount);
    case 'charge.refunded': {
      const { metadata, payment_intent, amount_refunded, currency } = event.data.object;
      const providerRef = typeof payment_intent === 'string' ? payment_intent : payment_intent?.id;
      return ours('refunded', event, metadata, providerRef, amount_refunded, currency);
    }
    default:
      return undefined;
  }
}

function ofIntent(
  kind: ProviderEvent['kind'],
  event: Stripe.Event,
  { id, metadata, currency }: Stripe.PaymentIntent,
  amount: number,
): ProviderEvent | undefined {
  return ours(kind, event, metadata, id, amount, currency);
}

/** Undefined for a payment that did not come from here: the provider's account may be used by others too. */
function ours(
  kind: ProviderEvent['kind'],
  { id: providerEventId, created }: Stripe.Event,
  metadata: Stripe.Metadata | null | undefined,
  providerRef: string | undefined,
  amount: number,
  currency: string | undefined,
): ProviderEvent | undefined {
  const { payment_id: paymentId, order_id: orderId } = metadata ?? {};
  const isWhole = typeof currency === 'string' && Number.isSafeInteger(amount) && Number.isInteger(created);
  if (![providerEventId, paymentId, orderId, providerRef].every(isId)) return undefined;
  if (!isWhole || Math.abs(created) > LAST_SECOND) return undefined;
  const occurredAt = new Date(created * 1000).toISOString();
  return {
    providerEventId,
    kind,
    paymentId: paymentId as string,
    orderId: orderId as string,
    providerRef: providerRef as string,
    amount,
    currency: currency.toUpperCase(),
    occurredAt,
  };
}

/** What the contract of `provider.event` takes for an id: longer ones are not ours. */
function isId(id: unknown): boolean {
  return typeof id === 'string' && id.length > 0 && id.length <= 255;
}

function parse(body: Uint8Array): Stripe.Event | undefined {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8')) as Stripe.Event;
  } catch {
    return undefined;
  }
}
