// What the book holds, and the same as Stripe's JSON objects.

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_capture'
  | 'succeeded'
  | 'canceled';

/** One try to charge a card. Amounts in minor units of the intent's currency, times in seconds since 1970. */
export type Charge = {
  id: string;
  created: number;
  amount: number;
  /** 0 until captured; may be less than `amount` (partial capture). */
  amountCaptured: number;
  amountRefunded: number;
  capturedAt: number | null;
  decline: { code: string; message: string } | null;
};

export type Intent = {
  id: string;
  created: number;
  amount: number;
  currency: string;
  captureMethod: 'automatic' | 'manual';
  status: IntentStatus;
  metadata: Record<string, string>;
  /** The token it was given; null again after a decline, as at Stripe. */
  paymentMethod: string | null;
  charges: Charge[];
  canceled: { at: number; reason: string | null } | null;
};

export type Refund = {
  id: string;
  created: number;
  intent: string;
  charge: string;
  amount: number;
  currency: string;
  reason: string | null;
  metadata: Record<string, string>;
};

export function lastCharge(intent: Intent): Charge | undefined {
  return intent.charges.at(-1);
}

/** The intent as Stripe's `payment_intent` object. */
export function intentJson(intent: Intent) {
  const charge = lastCharge(intent);
  const open = intent.status === 'requires_capture';
  return {
    id: intent.id,
    object: 'payment_intent',
    amount: intent.amount,
    amount_capturable: open ? intent.amount : 0,
    amount_received: charge?.amountCaptured ?? 0,
    canceled_at: intent.canceled?.at ?? null,
    cancellation_reason: intent.canceled?.reason ?? null,
    capture_method: intent.captureMethod,
    confirmation_method: 'automatic',
    created: intent.created,
    currency: intent.currency,
    customer: null,
    description: null,
    last_payment_error: charge?.decline
      ? {
          type: 'card_error',
          code: 'card_declined',
          decline_code: charge.decline.code,
          message: charge.decline.message,
          charge: charge.id,
        }
      : null,
    latest_charge: charge?.id ?? null,
    livemode: false,
    metadata: intent.metadata,
    next_action: null,
    payment_method: intent.paymentMethod,
    payment_method_types: ['card'],
    status: intent.status,
  };
}

/** A charge as Stripe's `charge` object; it repeats the intent's metadata, as Stripe copies them. */
export function chargeJson(charge: Charge, intent: Intent) {
  return {
    id: charge.id,
    object: 'charge',
    amount: charge.amount,
    amount_captured: charge.amountCaptured,
    amount_refunded: charge.amountRefunded,
    captured: charge.capturedAt !== null,
    created: charge.created,
    currency: intent.currency,
    failure_code: charge.decline ? 'card_declined' : null,
    failure_message: charge.decline?.message ?? null,
    livemode: false,
    metadata: intent.metadata,
    paid: charge.decline === null,
    payment_intent: intent.id,
    refunded: charge.amountCaptured > 0 && charge.amountRefunded === charge.amountCaptured,
    status: charge.decline ? 'failed' : 'succeeded',
  };
}

/** A refund as Stripe's `refund` object. Card refunds succeed at once. */
export function refundJson(refund: Refund) {
  return {
    id: refund.id,
    object: 'refund',
    amount: refund.amount,
    charge: refund.charge,
    created: refund.created,
    currency: refund.currency,
    metadata: refund.metadata,
    payment_intent: refund.intent,
    reason: refund.reason,
    status: 'succeeded',
  };
}
