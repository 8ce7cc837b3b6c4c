// What the adapter makes of each answer a provider, a proxy or a sidecar may give. The real wire is in tests/conformance.
import { describe, expect, test } from '@jest/globals';
import { type CaptureRequest, cardProvider } from './provider.ts';
import { ProviderFault } from './provider-fault.ts';
import { stripeThroughSidecar } from './stripe-client.ts';

const API_KEY = 'sk_test_never_to_be_seen';
const TOKEN = 'pm_never_to_be_seen';
const REQUEST: CaptureRequest = { paymentId: 'p1', orderId: 'o1', amount: 1299, currency: 'USD', token: TOKEN };
const REFUND = { paymentId: 'p1', providerRef: 'pi_1', refundId: 'r1', amount: 500, currency: 'USD' };

type Answer = { status?: number; body: unknown } | Error;
type Sent = { method: string; path: string; headers: Headers; body: string };

/** A provider that gives these answers in turn, and what it was sent. */
function provider(...answers: Answer[]) {
  const sent: Sent[] = [];
  const fetch = async (url: unknown, init?: RequestInit): Promise<Response> => {
    const { pathname, search } = new URL(String(url));
    const path = decodeURIComponent(`${pathname}${search}`);
    sent.push({
      method: init?.method ?? '',
      path,
      headers: new Headers(init?.headers),
      body: String(init?.body ?? ''),
    });
    const answer = answers.shift();
    if (answer === undefined) return waitForEnd(init?.signal);
    if (answer instanceof Error) throw answer;
    const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    return new Response(body, { status: answer.status ?? 200, headers: { 'content-type': 'application/json' } });
  };
  const stripe = stripeThroughSidecar({
    sidecarPort: 21000,
    sidecarToken: 'sidecar-token',
    apiKey: API_KEY,
    timeoutMs: 100,
    fetch: fetch as typeof globalThis.fetch,
  });
  return { cards: cardProvider(stripe), sent };
}

/** Never answers; ends when the caller gives up. */
function waitForEnd(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
}

function intent(changes: Record<string, unknown> = {}) {
  const metadata = { payment_id: 'p1', order_id: 'o1' };
  return {
    id: 'pi_1',
    object: 'payment_intent',
    status: 'succeeded',
    amount_received: 1299,
    currency: 'usd',
    metadata,
    ...changes,
  };
}

function refunded(changes: Record<string, unknown> = {}) {
  const metadata = { payment_id: 'p1', refund_id: 'r1' };
  return {
    id: 're_1',
    object: 'refund',
    status: 'succeeded',
    amount: 500,
    payment_intent: 'pi_1',
    metadata,
    ...changes,
  };
}

function error(type: string, more: Record<string, unknown> = {}) {
  return { error: { type, message: `about '${TOKEN}' and ${API_KEY}`, ...more } };
}

async function faultOf(work: Promise<unknown>): Promise<ProviderFault> {
  const reason = await work.then(
    (value) => new Error(`not a fault: ${JSON.stringify(value)}`),
    (thrown) => thrown,
  );
  if (!(reason instanceof ProviderFault)) throw reason;
  return reason;
}

describe('capture', () => {
  test('goes through the sidecar, as a form, under the payment id', async () => {
    const { cards, sent } = provider({ body: intent() });
    const outcome = await cards.capture(REQUEST);
    expect(outcome).toEqual({ outcome: 'captured', providerRef: 'pi_1', amount: 1299, currency: 'USD' });
    const [request] = sent as [Sent];
    expect(request).toMatchObject({ method: 'POST', path: '/v1/payment_intents' });
    expect(Object.fromEntries(request.headers)).toMatchObject({
      'dapr-app-id': 'card-provider',
      'dapr-api-token': 'sidecar-token',
      'idempotency-key': 'p1',
      authorization: `Bearer ${API_KEY}`,
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(Object.fromEntries(new URLSearchParams(request.body))).toMatchObject({
      amount: '1299',
      currency: 'usd',
      confirm: 'true',
      'metadata[payment_id]': 'p1',
      'metadata[order_id]': 'o1',
    });
  });

  test('a declined card is an outcome', async () => {
    const body = error('card_error', {
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      message: 'No funds.',
      payment_intent: intent(),
    });
    const { cards } = provider({ status: 402, body });
    expect(await cards.capture(REQUEST)).toEqual({
      outcome: 'declined',
      code: 'PAYMENT_DECLINED',
      declineCode: 'insufficient_funds',
      detail: 'No funds.',
      providerRef: 'pi_1',
    });
  });

  test('an invalid request is refused in our words, without the token', async () => {
    const { cards } = provider({
      status: 400,
      body: error('invalid_request_error', { code: 'resource_missing', param: 'payment_method' }),
    });
    const outcome = await cards.capture(REQUEST);
    expect(outcome).toMatchObject({ outcome: 'refused', code: 'PAYMENT_REFUSED', reason: 'resource_missing' });
    expect(JSON.stringify(outcome)).not.toContain(TOKEN);
  });

  test('a repeat whose first answer was "processing" asks how it went on', async () => {
    const { cards, sent } = provider(
      { body: intent({ status: 'processing', amount_received: 0 }) },
      { body: intent() },
    );
    expect(await cards.capture(REQUEST)).toMatchObject({ outcome: 'captured' });
    expect(sent[1]?.path).toBe('/v1/payment_intents/pi_1');
  });

  test('still processing is a fault, to be repeated', async () => {
    const processing = { body: intent({ status: 'processing' }) };
    expect(await faultOf(provider(processing, processing).cards.capture(REQUEST))).toMatchObject({
      code: 'PROVIDER_PENDING',
    });
  });

  test('another token under the same key: what was done first counts', async () => {
    const used = { status: 400, body: error('idempotency_error') };
    const { cards, sent } = provider(used, { body: { object: 'search_result', data: [intent()] } });
    expect(await cards.capture(REQUEST)).toMatchObject({ outcome: 'captured', providerRef: 'pi_1' });
    expect(sent[1]?.path).toContain("metadata['payment_id']:'p1'");
    const unseen = provider(used, { body: { object: 'search_result', data: [] } });
    expect(await faultOf(unseen.cards.capture(REQUEST))).toMatchObject({ code: 'PROVIDER_PENDING' });
  });

  test('an intent that the provider cancelled is refused', async () => {
    const { cards } = provider({ body: intent({ status: 'canceled' }) });
    expect(await cards.capture(REQUEST)).toMatchObject({ outcome: 'refused', reason: 'canceled' });
  });
});

describe('no answer that can be relied on is a fault', () => {
  const openBreaker = { errorCode: 'ERR_DIRECT_INVOKE', message: 'circuit breaker is open' };
  const cases: [string, Answer, ProviderFault['code']][] = [
    ['an open breaker, which the client takes for a success', { status: 500, body: openBreaker }, 'PROVIDER_ANSWER'],
    ['an empty object', { body: {} }, 'PROVIDER_ANSWER'],
    ['nothing', { body: 'null' }, 'PROVIDER_ANSWER'],
    ['a proxy page', { status: 502, body: '<html>Bad gateway</html>' }, 'PROVIDER_ANSWER'],
    ['a cut answer', { body: '{"id":"pi_1","object":"payment_in' }, 'PROVIDER_ANSWER'],
    ['another object', { body: intent({ object: 'charge' }) }, 'PROVIDER_ANSWER'],
    ['another payment', { body: intent({ metadata: { payment_id: 'p2' } }) }, 'PROVIDER_ANSWER'],
    ['another amount', { body: intent({ amount_received: 1 }) }, 'PROVIDER_ANSWER'],
    ['another currency', { body: intent({ currency: 'eur' }) }, 'PROVIDER_ANSWER'],
    [
      'the decline of another payment',
      { status: 402, body: error('card_error', { payment_intent: intent({ metadata: {} }) }) },
      'PROVIDER_ANSWER',
    ],
    ['500', { status: 500, body: error('api_error') }, 'PROVIDER_ERROR'],
    ['503', { status: 503, body: error('api_error') }, 'PROVIDER_ERROR'],
    ['a rate limit', { status: 429, body: error('invalid_request_error') }, 'PROVIDER_ERROR'],
    ['a key in use', { status: 409, body: error('idempotency_error') }, 'PROVIDER_ERROR'],
    ['a 402 of somebody else', { status: 402, body: error('api_error') }, 'PROVIDER_ERROR'],
    ['a 404 of somebody else', { status: 404, body: error('not_found') }, 'PROVIDER_ERROR'],
    ['a wrong API key', { status: 401, body: error('invalid_request_error') }, 'PROVIDER_CREDENTIALS'],
    ['no connection', new TypeError('fetch failed'), 'PROVIDER_UNREACHABLE'],
  ];

  test.each(cases)('%s', async (_name, answer, code) => {
    const { cards, sent } = provider(answer);
    const fault = await faultOf(cards.capture(REQUEST));
    expect(fault.code).toBe(code);
    expect(sent).toHaveLength(1);
    const said = JSON.stringify({ ...fault, message: fault.message, cause: String(fault.cause) });
    expect(said).not.toContain(TOKEN);
    expect(said).not.toContain(API_KEY);
  });

  test('no answer in time', async () => {
    expect(await faultOf(provider().cards.capture(REQUEST))).toMatchObject({ code: 'PROVIDER_TIMEOUT' });
  });

  test('an open breaker on refund and lookup too', async () => {
    const open = { status: 500, body: openBreaker };
    expect(await faultOf(provider(open).cards.refund(REFUND))).toMatchObject({ code: 'PROVIDER_ANSWER' });
    expect(await faultOf(provider(open).cards.lookup({ paymentId: 'p1' }))).toMatchObject({ code: 'PROVIDER_ANSWER' });
    expect(await faultOf(provider(open).cards.lookup({ paymentId: 'p1', providerRef: 'pi_1' }))).toMatchObject({
      code: 'PROVIDER_ANSWER',
    });
  });
});

describe('refund', () => {
  test('is made under its own id', async () => {
    const { cards, sent } = provider({ body: refunded() });
    expect(await cards.refund(REFUND)).toEqual({ outcome: 'refunded', refundRef: 're_1', amount: 500 });
    expect(sent[0]?.headers.get('idempotency-key')).toBe('r1');
  });

  test.each([
    ['of another refund', { metadata: { refund_id: 'r2' } }],
    ['of another payment', { payment_intent: 'pi_2' }],
    ['over another amount', { amount: 1 }],
  ])('an answer %s is a fault', async (_name, changes) => {
    expect(await faultOf(provider({ body: refunded(changes) }).cards.refund(REFUND))).toMatchObject({
      code: 'PROVIDER_ANSWER',
    });
  });

  test('a pending refund is asked for again', async () => {
    const { cards, sent } = provider({ body: refunded({ status: 'pending' }) }, { body: refunded() });
    expect(await cards.refund(REFUND)).toMatchObject({ outcome: 'refunded' });
    expect(sent[1]?.path).toBe('/v1/refunds/re_1');
  });

  test('a refund that the bank sent back is refused', async () => {
    const { cards } = provider({ body: refunded({ status: 'failed', failure_reason: 'lost_or_stolen_card' }) });
    expect(await cards.refund(REFUND)).toMatchObject({
      outcome: 'refused',
      code: 'REFUND_REFUSED',
      reason: 'lost_or_stolen_card',
    });
  });

  test('"already refunded" is ours when the provider knows our refund id, else a refusal', async () => {
    const already = { status: 400, body: error('invalid_request_error', { code: 'charge_already_refunded' }) };
    const ours = provider(already, { body: { object: 'list', data: [refunded()] } });
    expect(await ours.cards.refund(REFUND)).toMatchObject({ outcome: 'refunded', refundRef: 're_1' });
    const others = provider(already, { body: { object: 'list', data: [refunded({ metadata: {} })] } });
    expect(await others.cards.refund(REFUND)).toMatchObject({ outcome: 'refused', reason: 'charge_already_refunded' });
  });
});

describe('lookup', () => {
  const refunds = { body: { object: 'list', data: [refunded()] } };

  test('by reference: what was captured and given back', async () => {
    const { cards } = provider({ body: intent() }, refunds);
    expect(await cards.lookup({ paymentId: 'p1', providerRef: 'pi_1' })).toEqual({
      outcome: 'captured',
      providerRef: 'pi_1',
      amount: 1299,
      currency: 'USD',
      refunds: [{ refundRef: 're_1', refundId: 'r1', amount: 500, status: 'succeeded' }],
    });
  });

  test('by our id, quoted', async () => {
    const { cards, sent } = provider({ body: { object: 'search_result', data: [] } });
    expect(await cards.lookup({ paymentId: "p'1" })).toEqual({ outcome: 'absent' });
    expect(sent[0]?.path).toContain("metadata['payment_id']:'p\\'1'");
  });

  test('a reference that the provider does not know is absent', async () => {
    const { cards } = provider({ status: 404, body: error('invalid_request_error', { code: 'resource_missing' }) });
    expect(await cards.lookup({ paymentId: 'p1', providerRef: 'pi_1' })).toEqual({ outcome: 'absent' });
  });

  test.each([
    [
      'declined',
      intent({
        status: 'requires_payment_method',
        last_payment_error: { decline_code: 'generic_decline', message: 'No.' },
      }),
    ],
    ['cancelled', intent({ status: 'canceled' })],
    ['pending', intent({ status: 'processing' })],
  ])('%s', async (outcome, body) => {
    expect(await provider({ body }).cards.lookup({ paymentId: 'p1', providerRef: 'pi_1' })).toMatchObject({ outcome });
  });

  test('a capture beats an earlier decline of the same payment', async () => {
    const declined = intent({ id: 'pi_2', status: 'requires_payment_method', last_payment_error: { message: 'No.' } });
    const { cards } = provider({ body: { object: 'search_result', data: [declined, intent()] } }, refunds);
    expect(await cards.lookup({ paymentId: 'p1' })).toMatchObject({ outcome: 'captured', providerRef: 'pi_1' });
  });
});
