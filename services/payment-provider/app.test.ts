// The routes, with a provider and a sidecar that do what the test says.
import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import type { Publication } from '#kit/dapr/sidecar';
import { Fault } from '#kit/errors';
import { Contracts } from '#kit/events/contracts';
import { toMessage } from '#kit/events/message';
import { createLog } from '#kit/log';
import { adapterOf } from './adapter.ts';
import { paymentProviderApp } from './app.ts';
import type { CardProvider } from './provider.ts';
import { ProviderFault } from './provider-fault.ts';

const NOW = Date.UTC(2026, 0, 15, 12);
const SECRET = 'whsec_current';
const TOKEN = 'pm_never_to_be_seen';
const CAPTURE = { paymentId: 'p1', orderId: 'o1', amount: 1299, currency: 'USD', token: TOKEN };

let provider: CardProvider;
let published: Publication[];
let publish: () => Promise<number[]>;
let lines: string[];

beforeEach(() => {
  const unused = () => Promise.reject(new Error('not expected'));
  provider = { capture: unused, refund: unused, lookup: unused };
  published = [];
  lines = [];
  publish = async () => [];
});

function app(parts: { withoutSecrets?: boolean } = {}) {
  const sidecar = {
    async publish(pubsub: string, topic: string, publications: readonly Publication[]) {
      expect([pubsub, topic]).toEqual(['pubsub-saga', 'provider-events']);
      published.push(...publications);
      return publish();
    },
  };
  const adapter = () => {
    if (parts.withoutSecrets) throw new Fault('not there yet');
    return { provider, webhookSecrets: [SECRET] };
  };
  const log = createLog('payment-provider', 'trace', { write: (line) => void lines.push(line) });
  const verifier = { identify: async () => undefined };
  const dependencies = { appId: 'payment-provider', adapter, sidecar, now: () => NOW };
  return paymentProviderApp(
    { name: 'payment-provider', log, verifier, appToken: 'app-token' },
    dependencies,
  ).callback();
}

function post(path: string, parts = {}) {
  return request(app(parts)).post(`/internal/${path}`).set('dapr-api-token', 'app-token');
}

function webhook(type: string, object: unknown) {
  const body = JSON.stringify({ id: 'evt_1', created: NOW / 1000, type, data: { object } });
  const at = NOW / 1000;
  const digest = createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex');
  return { body, signature: `t=${at},v1=${digest}` };
}

const SUCCEEDED = webhook('payment_intent.succeeded', {
  id: 'pi_1',
  amount_received: 1299,
  currency: 'usd',
  metadata: { payment_id: 'p1', order_id: 'o1' },
});

function postWebhook({ body, signature }: { body: string; signature: string }, parts = {}) {
  return post('webhooks', parts).set('stripe-signature', signature).set('content-type', 'application/json').send(body);
}

describe('capture, refund, lookup', () => {
  test('every outcome is 200', async () => {
    provider.capture = async (asked) => {
      expect(asked).toEqual(CAPTURE);
      return { outcome: 'captured', providerRef: 'pi_1', amount: 1299, currency: 'USD' };
    };
    const captured = await post('capture').send(CAPTURE);
    expect([captured.status, captured.body]).toMatchObject([200, { outcome: 'captured', providerRef: 'pi_1' }]);

    provider.capture = async () => ({
      outcome: 'declined',
      code: 'PAYMENT_DECLINED',
      declineCode: 'generic_decline',
      detail: 'No.',
      providerRef: null,
    });
    const declined = await post('capture').send(CAPTURE);
    expect([declined.status, declined.body]).toMatchObject([200, { outcome: 'declined', code: 'PAYMENT_DECLINED' }]);

    provider.refund = async () => ({ outcome: 'refunded', refundRef: 're_1', amount: 500 });
    const refund = { paymentId: 'p1', providerRef: 'pi_1', refundId: 'r1', amount: 500, currency: 'USD' };
    const refunded = await post('refund').send(refund);
    expect([refunded.status, refunded.body.outcome]).toEqual([200, 'refunded']);

    provider.lookup = async () => ({ outcome: 'absent' });
    const absent = await post('lookup').send({ paymentId: 'p1' });
    expect([absent.status, absent.body]).toEqual([200, { outcome: 'absent' }]);
  });

  test('a fault is 503 with Retry-After, and nobody hears of the token', async () => {
    provider.capture = async () => {
      throw new ProviderFault('PROVIDER_TIMEOUT', 'capture p1: no answer', new Error('inner'));
    };
    const answer = await post('capture').send(CAPTURE);
    expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([503, 'UNAVAILABLE', '1']);
    expect(lines.join()).toContain('PROVIDER_TIMEOUT');
    expect(`${lines.join()}${answer.text}`).not.toContain(TOKEN);
  });

  test.each([
    ['amount 0: nothing to ask the provider for', { ...CAPTURE, amount: 0 }],
    ['a broken amount', { ...CAPTURE, amount: 12.5 }],
    ['a small-letter currency', { ...CAPTURE, currency: 'usd' }],
    ['an unknown field', { ...CAPTURE, colour: 'red' }],
    ['no token', { ...CAPTURE, token: '' }],
  ])('%s is 400 and never reaches the provider', async (_name, body) => {
    const answer = await post('capture').send(body);
    expect(answer.status).toBe(400);
    expect(`${lines.join()}${answer.text}`).not.toContain(TOKEN);
  });

  test('before the secrets are there it is 503', async () => {
    expect((await post('capture', { withoutSecrets: true }).send(CAPTURE)).status).toBe(503);
    expect((await postWebhook(SUCCEEDED, { withoutSecrets: true })).status).toBe(503);
  });

  test('only the sidecar may call', async () => {
    const answer = await request(app()).post('/internal/capture').send(CAPTURE);
    expect(answer.status).toBe(401);
  });
});

describe('webhooks', () => {
  test('a good one is published as our contract says, in the order of its payment', async () => {
    expect((await postWebhook(SUCCEEDED)).status).toBe(200);
    const [{ event, partitionKey }] = published as [Publication];
    expect(partitionKey).toBe('p1');
    const message = toMessage('provider-events', JSON.parse(JSON.stringify(event)));
    expect(message).toMatchObject({ type: 'provider.event', source: 'payment-provider', version: 1 });
    expect(message.data).toMatchObject({ kind: 'captured', paymentId: 'p1', amount: 1299, currency: 'USD' });
    new Contracts().check(message.type, message.schemaVersion, message.data);
  });

  test('a doubled one is the same message again', async () => {
    await postWebhook(SUCCEEDED);
    await postWebhook(SUCCEEDED);
    const [first, second] = published.map(({ event }) => event as { id: string; data: { payload: unknown } });
    expect(second?.id).toBe(first?.id);
    expect(second?.data.payload).toEqual(first?.data.payload);
  });

  test('what an answer has told already is acknowledged and goes no further; another payment does', async () => {
    provider.capture = async () => ({ outcome: 'captured', providerRef: 'pi_1', amount: 1299, currency: 'USD' });
    const server = app();
    const send = (path: string) => request(server).post(`/internal/${path}`).set('dapr-api-token', 'app-token');
    const tell = ({ body, signature }: { body: string; signature: string }) =>
      send('webhooks').set('stripe-signature', signature).set('content-type', 'application/json').send(body);
    await send('capture').send(CAPTURE);
    expect((await tell(SUCCEEDED)).status).toBe(200);
    expect(published).toEqual([]);
    const other = { id: 'pi_2', amount_received: 1, currency: 'usd', metadata: { payment_id: 'p2', order_id: 'o2' } };
    expect((await tell(webhook('payment_intent.succeeded', other))).status).toBe(200);
    expect(published.map(({ partitionKey }) => partitionKey)).toEqual(['p2']);
  });

  test.each([
    ['no signature', { ...SUCCEEDED, signature: '' }],
    ['a wrong one', { ...SUCCEEDED, signature: SUCCEEDED.signature.replace(/.$/, (c) => (c === '0' ? '1' : '0')) }],
    ['another body', { ...SUCCEEDED, body: SUCCEEDED.body.replace('1299', '9999') }],
    ['the same JSON in other bytes', { ...SUCCEEDED, body: ` ${SUCCEEDED.body}` }],
  ])('%s: 400, nothing published', async (_name, bad) => {
    const answer = await postWebhook(bad);
    expect([answer.status, answer.body.code]).toEqual([400, 'SIGNATURE_INVALID']);
    expect(published).toEqual([]);
  });

  test('a kind that does not concern us is acknowledged and not published', async () => {
    expect((await postWebhook(webhook('customer.created', { id: 'cus_1' }))).status).toBe(200);
    expect(published).toEqual([]);
  });

  test('the broker is down: 503, so that it is sent again', async () => {
    publish = () => Promise.reject(new Fault('no broker'));
    expect((await postWebhook(SUCCEEDED)).status).toBe(503);
    publish = async () => [0];
    expect((await postWebhook(SUCCEEDED)).status).toBe(503);
  });
});

describe('the secrets', () => {
  const settings = { sidecarPort: 1, sidecarToken: undefined, timeoutMs: 100 };
  const log = createLog('payment-provider', 'silent');

  test('are asked for until the sidecar has them; two webhook secrets may stand side by side', async () => {
    let patience = 1;
    const secret = async (_store: string, name: string) => {
      if (patience-- > 0) throw new Fault('not yet');
      return name === 'provider-webhook-secret' ? 'old,new' : 'key';
    };
    const adapter = adapterOf({ secret }, settings, log);
    expect(adapter.get).toThrow(Fault);
    await adapter.open();
    expect(adapter.isOpen()).toBe(true);
    expect(adapter.get().webhookSecrets).toEqual(['old', 'new']);
  });

  test('are not waited for by a service that leaves', async () => {
    const adapter = adapterOf({ secret: () => Promise.reject(new Fault('never')) }, settings, log);
    let asked = 0;
    await adapter.open(() => ++asked > 2);
    expect(adapter.isOpen()).toBe(false);
  });
});
