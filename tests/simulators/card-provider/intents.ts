// The life of a payment intent as pure functions: what is there and what is asked in, what changes out.
// Source: Stripe, "How PaymentIntents work", and the API reference of payment intents and refunds.
import { cardOf } from './cards.ts';
import { invalid, missing, Refusal, unexpectedState } from './errors.ts';
import { type Charge, chargeJson, type Intent, intentJson, lastCharge, type Refund, refundJson } from './objects.ts';

/** Time in seconds since 1970, and fresh ids (`pi_...`), given from outside. */
export type World = { now: number; id(prefix: string): string };

export type EventType =
  | 'payment_intent.succeeded'
  | 'payment_intent.payment_failed'
  | 'payment_intent.canceled'
  | 'charge.refunded';

/** What a request changes, what webhooks tell of it, and what is answered. All of it is one line of the book. */
export type Effect = {
  intent?: Intent;
  refund?: Refund;
  events: { type: EventType; object: unknown }[];
  status: number;
  body: unknown;
};

export type CreateIntent = {
  amount: number;
  currency: string;
  captureMethod: 'automatic' | 'manual';
  metadata: Record<string, string>;
  paymentMethod: string | null;
  confirm: boolean;
};

/** Creates an intent and, with `confirm`, charges its card. @throws Refusal for an unknown card. */
export function createIntent(world: World, asked: CreateIntent): Effect {
  if (asked.paymentMethod !== null) knownCard(asked.paymentMethod);
  const intent: Intent = {
    id: world.id('pi'),
    created: world.now,
    amount: asked.amount,
    currency: asked.currency,
    captureMethod: asked.captureMethod,
    status: asked.paymentMethod === null ? 'requires_payment_method' : 'requires_confirmation',
    metadata: asked.metadata,
    paymentMethod: asked.paymentMethod,
    charges: [],
    canceled: null,
  };
  return asked.confirm ? confirmIntent(world, intent, null) : answer(intent);
}

/** Charges the intent's card, or the one given now. A declined card is an answer of 402 that changes the intent. */
export function confirmIntent(world: World, intent: Intent, paymentMethod: string | null): Effect {
  if (intent.status !== 'requires_confirmation' && intent.status !== 'requires_payment_method') {
    throw unexpectedState(
      `You cannot confirm this PaymentIntent because it has a status of ${intent.status}.`,
      intentJson(intent),
    );
  }
  const token = paymentMethod ?? intent.paymentMethod;
  if (token === null) {
    throw unexpectedState(
      "You cannot confirm this PaymentIntent because it's missing a payment method.",
      intentJson(intent),
    );
  }
  const card = knownCard(token);
  const charge: Charge = {
    id: world.id('ch'),
    created: world.now,
    amount: intent.amount,
    amountCaptured: 0,
    amountRefunded: 0,
    capturedAt: null,
    decline: card.kind === 'declined' ? { code: card.declineCode, message: card.message } : null,
  };
  const charged = { ...intent, charges: [...intent.charges, charge], paymentMethod: token };
  if (card.kind === 'declined') return declined({ ...charged, status: 'requires_payment_method', paymentMethod: null });
  if (intent.captureMethod === 'manual') return answer({ ...charged, status: 'requires_capture' });
  return captured(world, charged, intent.amount);
}

/** Takes the money of an authorised intent; a part of it when `amount` is less. The rest is freed. */
export function captureIntent(world: World, intent: Intent, amount: number | null): Effect {
  if (intent.status !== 'requires_capture') {
    throw unexpectedState(
      `This PaymentIntent could not be captured because it has a status of ${intent.status}.`,
      intentJson(intent),
    );
  }
  if (amount !== null && amount > intent.amount) {
    throw invalid(
      'The amount to capture is greater than the amount authorised.',
      'amount_to_capture',
      'amount_too_large',
    );
  }
  return captured(world, intent, amount ?? intent.amount);
}

/** Gives up an intent that has not taken money. */
export function cancelIntent(world: World, intent: Intent, reason: string | null): Effect {
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    throw unexpectedState(
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}.`,
      intentJson(intent),
    );
  }
  const canceled: Intent = { ...intent, status: 'canceled', canceled: { at: world.now, reason } };
  return answer(canceled, 'payment_intent.canceled');
}

/** Gives back what is left of a capture, or `amount` of it. */
export function refundIntent(
  world: World,
  intent: Intent,
  asked: { amount: number | null; reason: string | null; metadata: Record<string, string> },
): Effect {
  const charge = lastCharge(intent);
  if (intent.status !== 'succeeded' || charge === undefined) {
    throw invalid(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, 'payment_intent');
  }
  const left = charge.amountCaptured - charge.amountRefunded;
  if (left === 0) {
    throw new Refusal(
      400,
      {
        type: 'invalid_request_error',
        code: 'charge_already_refunded',
        message: `Charge ${charge.id} has already been refunded.`,
      },
      true,
    );
  }
  const amount = asked.amount ?? left;
  if (amount > left) {
    throw invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`, 'amount');
  }
  const refund: Refund = {
    id: world.id('re'),
    created: world.now,
    intent: intent.id,
    charge: charge.id,
    amount,
    currency: intent.currency,
    reason: asked.reason,
    metadata: asked.metadata,
  };
  const after = withLastCharge(intent, { ...charge, amountRefunded: charge.amountRefunded + amount });
  const event = { type: 'charge.refunded' as const, object: chargeJson(lastCharge(after) as Charge, after) };
  return { intent: after, refund, events: [event], status: 200, body: refundJson(refund) };
}

function captured(world: World, intent: Intent, amount: number): Effect {
  const charge = lastCharge(intent) as Charge;
  const after = withLastCharge(intent, { ...charge, amountCaptured: amount, capturedAt: world.now });
  return answer({ ...after, status: 'succeeded' }, 'payment_intent.succeeded');
}

function declined(intent: Intent): Effect {
  const { id, decline } = lastCharge(intent) as Charge;
  const object = intentJson(intent);
  const error = {
    type: 'card_error',
    code: 'card_declined',
    decline_code: decline?.code,
    message: decline?.message,
    charge: id,
    payment_intent: object,
  };
  return { intent, events: [{ type: 'payment_intent.payment_failed', object }], status: 402, body: { error } };
}

function answer(intent: Intent, event?: EventType): Effect {
  const object = intentJson(intent);
  return { intent, events: event ? [{ type: event, object }] : [], status: 200, body: object };
}

function withLastCharge(intent: Intent, charge: Charge): Intent {
  return { ...intent, charges: [...intent.charges.slice(0, -1), charge] };
}

function knownCard(token: string) {
  const card = cardOf(token);
  if (card === undefined) throw missing('PaymentMethod', token, 'payment_method', 400);
  return card;
}
