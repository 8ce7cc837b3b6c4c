// The simulator as a process of its own, driven by the official Stripe client.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import Stripe from 'stripe';
import { type RunningSimulator, startSimulator } from './control-client.ts';

const API_KEY = 'sk_test_simulator';

let folder: string;
let simulator: RunningSimulator;
let stripe: Stripe;
let orders = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'card-provider-'));
  await start();
});

afterAll(async () => {
  await simulator.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  await simulator.control.reset();
});

async function start(): Promise<void> {
  simulator = await startSimulator({ DATA_FILE: join(folder, 'book.jsonl'), API_KEY });
  stripe = client(API_KEY);
}

function client(key: string, timeout = 5_000): Stripe {
  return new Stripe(key, {
    host: '127.0.0.1',
    port: simulator.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    timeout,
    httpClient: Stripe.createFetchHttpClient(),
  });
}

/** A fresh order and what is charged for it. */
function charge(token: string) {
  orders += 1;
  const orderId = `order-${orders}`;
  return {
    orderId,
    params: {
      amount: 1299,
      currency: 'usd',
      payment_method: token,
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      confirm: true,
      metadata: { order_id: orderId, payment_id: `payment-${orders}` },
    } satisfies Stripe.PaymentIntentCreateParams,
    options: { idempotencyKey: `payment-${orders}` },
  };
}

async function intentsOf(orderId: string) {
  return (await simulator.control.book({ orderId })).intents;
}

async function failure(promise: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason) => reason,
  );
  if (!(error instanceof Stripe.errors.StripeError)) throw error;
  return error;
}

describe('cards', () => {
  test('a good card is captured, in minor units, with its metadata', async () => {
    const { orderId, params, options } = charge('pm_card_visa');
    const intent = await stripe.paymentIntents.create(params, options);
    expect(intent).toMatchObject({
      object: 'payment_intent',
      status: 'succeeded',
      amount_received: 1299,
      currency: 'usd',
    });
    const [known, ...others] = await intentsOf(orderId);
    expect(others).toEqual([]);
    expect(known).toMatchObject({ id: intent.id, orderId, captures: [{ amount: 1299 }], refunds: [] });
  });

  test.each([
    ['pm_card_visa_chargeDeclined', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
  ])('%s is a card error %s', async (token, declineCode) => {
    const { orderId, params, options } = charge(token);
    const error = await failure(stripe.paymentIntents.create(params, options));
    expect(error).toBeInstanceOf(Stripe.errors.StripeCardError);
    expect(error).toMatchObject({ statusCode: 402, code: 'card_declined', decline_code: declineCode });
    expect(await intentsOf(orderId)).toMatchObject([{ status: 'requires_payment_method', captures: [] }]);
  });

  test('a declined intent is captured when it is confirmed with another card', async () => {
    const { params } = charge('pm_card_visa_chargeDeclined');
    const error = await failure(stripe.paymentIntents.create(params));
    const id = (error.payment_intent as Stripe.PaymentIntent).id;
    const intent = await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' });
    expect(intent.status).toBe('succeeded');
  });

  test('an unknown token is an invalid request and leaves nothing', async () => {
    const { orderId, params, options } = charge('pm_card_nobody');
    const error = await failure(stripe.paymentIntents.create(params, options));
    expect(error).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError', code: 'resource_missing' });
    expect(await intentsOf(orderId)).toEqual([]);
  });
});

describe('requests that are refused', () => {
  test('a wrong API key', async () => {
    const error = await failure(client('sk_test_other').paymentIntents.retrieve('pi_1'));
    expect(error).toMatchObject({ statusCode: 401, type: 'StripeAuthenticationError' });
  });

  test.each([
    ['no amount', { currency: 'usd' }, 'parameter_missing'],
    ['amount 0', { amount: 0, currency: 'usd' }, 'parameter_invalid_integer'],
    ['a broken amount', { amount: 1.5, currency: 'usd' }, 'parameter_invalid_integer'],
    ['an unknown parameter', { amount: 1, currency: 'usd', colour: 'red' }, 'parameter_unknown'],
  ])('%s', async (_name, params, code) => {
    const error = await failure(stripe.paymentIntents.create(params as unknown as Stripe.PaymentIntentCreateParams));
    expect(error).toMatchObject({ statusCode: 400, code });
  });

  test('an intent that does not exist', async () => {
    const error = await failure(stripe.paymentIntents.retrieve('pi_nobody'));
    expect(error).toMatchObject({ statusCode: 404, code: 'resource_missing' });
  });
});

describe('two steps: authorise, then capture or cancel', () => {
  test('a part is captured once and the rest is freed', async () => {
    const { params } = charge('pm_card_visa');
    const intent = await stripe.paymentIntents.create({ ...params, capture_method: 'manual' });
    expect(intent).toMatchObject({ status: 'requires_capture', amount_capturable: 1299, amount_received: 0 });
    const captured = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1000 });
    expect(captured).toMatchObject({ status: 'succeeded', amount_received: 1000, amount_capturable: 0 });
    const error = await failure(stripe.paymentIntents.capture(intent.id));
    expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' });
  });

  test('a cancelled intent can be neither confirmed nor captured', async () => {
    const { params } = charge('pm_card_visa');
    const { id } = await stripe.paymentIntents.create({ ...params, confirm: false });
    expect(await stripe.paymentIntents.cancel(id)).toMatchObject({ status: 'canceled' });
    expect(await failure(stripe.paymentIntents.confirm(id))).toMatchObject({ code: 'payment_intent_unexpected_state' });
    expect(await failure(stripe.paymentIntents.capture(id))).toMatchObject({ code: 'payment_intent_unexpected_state' });
  });

  test('a captured intent cannot be cancelled', async () => {
    const { id } = await stripe.paymentIntents.create(charge('pm_card_visa').params);
    expect(await failure(stripe.paymentIntents.cancel(id))).toMatchObject({ code: 'payment_intent_unexpected_state' });
  });
});

describe('refunds', () => {
  test('parts up to the whole, and not a cent more', async () => {
    const { orderId, params } = charge('pm_card_visa');
    const { id } = await stripe.paymentIntents.create(params);
    const first = await stripe.refunds.create({ payment_intent: id, amount: 300 });
    expect(first).toMatchObject({ object: 'refund', status: 'succeeded', amount: 300, payment_intent: id });
    const tooMuch = await failure(stripe.refunds.create({ payment_intent: id, amount: 1000 }));
    expect(tooMuch).toMatchObject({ statusCode: 400, param: 'amount' });
    await stripe.refunds.create({ payment_intent: id });
    expect(await failure(stripe.refunds.create({ payment_intent: id }))).toMatchObject({
      code: 'charge_already_refunded',
    });
    expect(await intentsOf(orderId)).toMatchObject([{ refunded: 1299, refunds: [{ amount: 300 }, { amount: 999 }] }]);
    const listed = await stripe.refunds.list({ payment_intent: id });
    expect(listed.data.map((refund) => refund.amount)).toEqual([999, 300]);
  });
});

describe('reading', () => {
  test('by id, by page and by our payment id', async () => {
    const { params } = charge('pm_card_visa');
    const intent = await stripe.paymentIntents.create(params);
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ id: intent.id, status: 'succeeded' });
    const page = await stripe.paymentIntents.list({ limit: 1 });
    expect(page).toMatchObject({ has_more: true, data: [{ id: intent.id }] });
    const query = `metadata['payment_id']:'${params.metadata.payment_id}'`;
    expect((await stripe.paymentIntents.search({ query })).data.map(({ id }) => id)).toEqual([intent.id]);
  });
});

describe('idempotency keys', () => {
  test('a repeat gets the first answer and captures nothing more', async () => {
    const { orderId, params, options } = charge('pm_card_visa');
    const first = await stripe.paymentIntents.create(params, options);
    const again = await stripe.paymentIntents.create(params, options);
    expect(again).toEqual(first);
    // With the fetch client `lastResponse` is the Response itself, whatever its type says.
    expect((again.lastResponse as unknown as Response).headers.get('idempotent-replayed')).toBe('true');
    expect(await intentsOf(orderId)).toHaveLength(1);
  });

  test('a repeated decline is the same decline', async () => {
    const { orderId, params, options } = charge('pm_card_visa_chargeDeclined');
    const first = await failure(stripe.paymentIntents.create(params, options));
    const again = await failure(stripe.paymentIntents.create(params, options));
    expect(again.payment_intent).toEqual(first.payment_intent);
    expect(await intentsOf(orderId)).toHaveLength(1);
  });

  test('other parameters under a used key are an idempotency error', async () => {
    const { params, options } = charge('pm_card_visa');
    await stripe.paymentIntents.create(params, options);
    const error = await failure(stripe.paymentIntents.create({ ...params, amount: 1 }, options));
    expect(error).toMatchObject({ statusCode: 400, type: 'StripeIdempotencyError' });
  });

  test('a refused parameter does not use up the key', async () => {
    const { params, options } = charge('pm_card_visa');
    await failure(stripe.paymentIntents.create({ ...params, amount: 0 }, options));
    expect(await stripe.paymentIntents.create(params, options)).toMatchObject({ status: 'succeeded' });
  });

  test('a repeat while the first still runs is a conflict', async () => {
    await simulator.control.faults({ delayMs: 300 });
    const { orderId, params, options } = charge('pm_card_visa');
    const first = stripe.paymentIntents.create(params, options);
    await pause(100);
    const error = await failure(stripe.paymentIntents.create(params, options));
    expect(error).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
    expect((await first).status).toBe('succeeded');
    expect(await intentsOf(orderId)).toHaveLength(1);
  });
});

describe('faults', () => {
  test('failNext answers 500, does nothing, and a repeat under the same key works', async () => {
    await simulator.control.faults({ failNext: 1 });
    const { orderId, params, options } = charge('pm_card_visa');
    expect(await failure(stripe.paymentIntents.create(params, options))).toMatchObject({ statusCode: 500 });
    expect(await intentsOf(orderId)).toEqual([]);
    expect((await stripe.paymentIntents.create(params, options)).status).toBe('succeeded');
  });

  test('dropNext does the work and says nothing; the repeat tells what was done', async () => {
    await simulator.control.faults({ dropNext: 1 });
    const { orderId, params, options } = charge('pm_card_visa');
    const error = await failure(stripe.paymentIntents.create(params, options));
    expect(error).toBeInstanceOf(Stripe.errors.StripeConnectionError);
    const [done] = await intentsOf(orderId);
    expect(done?.captures).toHaveLength(1);
    expect((await stripe.paymentIntents.create(params, options)).id).toBe(done?.id);
    expect(await intentsOf(orderId)).toHaveLength(1);
  });

  test.each([true, 'refuse'] as const)('down: %s', async (down) => {
    await simulator.control.faults({ down });
    const { params } = charge('pm_card_visa');
    await failure(stripe.paymentIntents.create(params));
    await simulator.control.reset();
    expect((await stripe.paymentIntents.create(params)).status).toBe('succeeded');
  });

  test('a slow card is charged although the caller gave up', async () => {
    await simulator.control.faults({ slowCardMs: 300 });
    const { orderId, params, options } = charge('pm_card_visa_slow');
    const error = await failure(client(API_KEY, 100).paymentIntents.create(params, options));
    expect(error).toBeInstanceOf(Stripe.errors.StripeConnectionError);
    expect(await intentsOf(orderId)).toEqual([]);
    await pause(400);
    expect(await intentsOf(orderId)).toMatchObject([{ status: 'succeeded' }]);
  });

  test('a fault that does not exist is refused', async () => {
    await expect(simulator.control.faults({ dropnext: 1 } as never)).rejects.toThrow(/400/);
  });
});

describe('the book', () => {
  test('kill -9 and restart keep every answered capture, and the answers under their keys', async () => {
    const { orderId, params, options } = charge('pm_card_visa');
    const before = await stripe.paymentIntents.create(params, options);
    await simulator.stop('SIGKILL');
    await start();
    expect(await intentsOf(orderId)).toMatchObject([{ id: before.id, captures: [{ amount: 1299 }] }]);
    expect(await stripe.paymentIntents.create(params, options)).toEqual(before);
    expect(await intentsOf(orderId)).toHaveLength(1);
  });

  test('kill -9 under load: what was answered is there, and nothing twice', async () => {
    const calls = Array.from({ length: 200 }, () => charge('pm_card_visa'));
    const answers = calls.map(({ params, options }) => stripe.paymentIntents.create(params, options).catch(() => null));
    await Promise.race(answers);
    await pause(20);
    await simulator.stop('SIGKILL');
    const answered = (await Promise.all(answers)).filter((answer) => answer !== null);
    await start();
    expect(answered.length).toBeGreaterThan(0);
    const known = new Set((await simulator.control.book()).intents.map(({ id }) => id));
    expect(answered.filter(({ id }) => !known.has(id))).toEqual([]);
    await Promise.all(calls.map(({ params, options }) => stripe.paymentIntents.create(params, options)));
    const perOrder = Map.groupBy((await simulator.control.book()).intents, (intent) => intent.orderId);
    for (const { orderId } of calls) expect(perOrder.get(orderId)?.flatMap(({ captures }) => captures)).toHaveLength(1);
  });
});
