// The adapter and the official Stripe client through a real sidecar to the provider simulator: what is an outcome, what a fault.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import { subscriber } from '#kit/dapr/subscriber';
import { Contracts } from '#kit/events/contracts';
import type { Message } from '#kit/events/message';
import { silent } from '#kit/log';
import { paymentProviderApp } from '../../services/payment-provider/app.ts';
import { type CaptureRequest, type CardProvider, cardProvider } from '../../services/payment-provider/provider.ts';
import { ProviderFault } from '../../services/payment-provider/provider-fault.ts';
import { stripeThroughSidecar } from '../../services/payment-provider/stripe-client.ts';
import { type RunningSimulator, startSimulator } from '../simulators/card-provider/control-client.ts';
import { type App, type Bench, startBench } from './harness.ts';
import { until } from './until.ts';

const API_KEY = 'sk_test_conformance';
const WEBHOOK_SECRET = 'whsec_conformance';
const ROOT = join(import.meta.dirname, '..', '..');

let bench: Bench;
let simulator: RunningSimulator;
let sidecar: App;
/** Beside a sidecar that has, against all advice, a breaker straight on the provider. */
let withBreaker: CardProvider;
let provider: CardProvider;
const heard: Message[] = [];
let payments = 0;

beforeAll(async () => {
  bench = await startBench();
  const settings = { DATA_FILE: join(bench.folder, 'provider.jsonl'), API_KEY };
  // Simulator and sidecar need each other's port: the first run only finds a free one.
  simulator = await startSimulator(settings);
  await simulator.stop();
  const PORT = String(simulator.port);
  [sidecar, withBreaker] = await Promise.all([startAdapter(PORT), startBreaker(PORT), startPayment()]);
  provider = through(sidecar);
  const WEBHOOK_URL = `http://127.0.0.1:${sidecar.daprPort}/v1.0/invoke/payment-provider/method/internal/webhooks`;
  simulator = await startSimulator({ ...settings, PORT, WEBHOOK_URL, WEBHOOK_SECRET });
}, 60_000);

afterAll(async () => {
  await simulator.stop();
  await bench.stop();
}, 30_000);

beforeEach(() => simulator.control.reset());

/** payment-provider as it is, with the repository's own endpoint and policies. */
async function startAdapter(providerPort: string): Promise<App> {
  const resources = ['dapr/http-endpoints/card-provider.yaml', 'dapr/resiliency/payment-provider.yaml'].map((file) =>
    readFileSync(join(ROOT, file), 'utf8').replaceAll('$' + '{CARD_PROVIDER_PORT}', providerPort),
  );
  const { promise, resolve } = Promise.withResolvers<App>();
  const adapter = () => ({ provider, webhookSecrets: [WEBHOOK_SECRET] });
  const publish: App['sidecar']['publish'] = async (...args) => (await promise).sidecar.publish(...args);
  const app = paymentProviderApp(
    { name: 'payment-provider', log: silent, verifier: { identify: async () => undefined } },
    { appId: 'payment-provider', adapter, sidecar: { publish }, now: () => Date.now() },
  );
  resolve(await bench.app({ appId: 'payment-provider', handler: app.callback(), resources }));
  return promise;
}

async function startBreaker(providerPort: string): Promise<CardProvider> {
  const endpoint = {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'HTTPEndpoint',
    metadata: { name: 'card-provider' },
    spec: { baseUrl: `http://127.0.0.1:${providerPort}` },
  };
  const resiliency = {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Resiliency',
    metadata: { name: 'breaker' },
    spec: {
      policies: { circuitBreakers: { two: { maxRequests: 1, timeout: '1s', trip: 'consecutiveFailures > 1' } } },
      targets: { apps: { 'card-provider': { circuitBreaker: 'two' } } },
    },
  };
  const resources = [JSON.stringify(endpoint), JSON.stringify(resiliency)];
  return through(await bench.app({ appId: 'breaker-probe', resources }));
}

/** Hears what payment would hear. */
async function startPayment(): Promise<void> {
  const app = new Koa();
  const handle = async (messages: readonly Message[]) => {
    heard.push(...messages);
    return messages.map(() => 'SUCCESS' as const);
  };
  const subscription = { pubsub: 'pubsub-saga', topic: 'provider-events', types: undefined, handle } as const;
  const contracts = new Contracts();
  app.use(
    subscriber({
      appId: 'payment',
      subscriptions: [subscription],
      contracts,
      sidecar: undefined as never,
      log: silent,
    }),
  );
  await bench.app({ appId: 'payment', handler: app.callback() });
}

function through({ daprPort }: App, timeoutMs = 3_000): CardProvider {
  return cardProvider(
    stripeThroughSidecar({ sidecarPort: daprPort, sidecarToken: undefined, apiKey: API_KEY, timeoutMs }),
  );
}

function request(token = 'pm_card_visa'): CaptureRequest {
  payments += 1;
  return { paymentId: `payment-${payments}`, orderId: `order-${payments}`, amount: 1299, currency: 'USD', token };
}

async function capturesOf({ orderId }: { orderId: string }) {
  const { intents } = await simulator.control.book({ orderId });
  return intents.flatMap(({ captures }) => captures);
}

async function faultOf(work: Promise<unknown>): Promise<ProviderFault> {
  const reason = await work.then(
    (value) => new Error(`not a fault: ${JSON.stringify(value)}`),
    (thrown) => thrown,
  );
  if (!(reason instanceof ProviderFault)) throw reason;
  return reason;
}

describe('outcomes', () => {
  test('a good card is captured', async () => {
    const asked = request();
    const outcome = await provider.capture(asked);
    expect(outcome).toMatchObject({ outcome: 'captured', amount: 1299, currency: 'USD' });
    expect(await capturesOf(asked)).toMatchObject([{ amount: 1299 }]);
  });

  test('ten repeats, one after the other and at once, capture once', async () => {
    const asked = request();
    await simulator.control.faults({ delayMs: 50 });
    const together = await Promise.allSettled(Array.from({ length: 10 }, () => provider.capture(asked)));
    for (const result of together) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(ProviderFault);
    }
    const refs = new Set<unknown>();
    for (let i = 0; i < 10; i += 1) refs.add(((await provider.capture(asked)) as { providerRef: string }).providerRef);
    expect(refs.size).toBe(1);
    expect(await capturesOf(asked)).toHaveLength(1);
  });

  test('declined cards are outcomes, and ten of them do not keep the next good one out', async () => {
    for (let i = 0; i < 5; i += 1) {
      expect(await provider.capture(request('pm_card_visa_chargeDeclined'))).toMatchObject({
        outcome: 'declined',
        code: 'PAYMENT_DECLINED',
        declineCode: 'generic_decline',
      });
      expect(await provider.capture(request('pm_card_visa_chargeDeclinedInsufficientFunds'))).toMatchObject({
        outcome: 'declined',
        declineCode: 'insufficient_funds',
      });
    }
    expect(await provider.capture(request())).toMatchObject({ outcome: 'captured' });
  });

  test('an unknown token is refused', async () => {
    expect(await provider.capture(request('pm_nobody'))).toMatchObject({
      outcome: 'refused',
      reason: 'resource_missing',
    });
  });

  test('a refund is made once, and the lookup tells of it', async () => {
    const asked = request();
    const captured = await provider.capture(asked);
    if (captured.outcome !== 'captured') throw new Error(captured.outcome);
    const { providerRef } = captured;
    const refund = { ...asked, providerRef, refundId: `refund-of-${asked.paymentId}`, amount: 500 };
    const first = await provider.refund(refund);
    expect(first).toMatchObject({ outcome: 'refunded', amount: 500 });
    expect(await provider.refund(refund)).toEqual(first);
    const known = {
      outcome: 'captured',
      providerRef,
      amount: 1299,
      refunds: [{ refundId: refund.refundId, amount: 500 }],
    };
    expect(await provider.lookup({ paymentId: asked.paymentId })).toMatchObject(known);
    expect(await provider.lookup({ paymentId: asked.paymentId, providerRef })).toMatchObject(known);
    expect(await provider.refund({ ...refund, refundId: 'too-much', amount: 800 })).toMatchObject({
      outcome: 'refused',
    });
  });

  test('lookup of what was never asked for', async () => {
    expect(await provider.lookup({ paymentId: 'nobody' })).toEqual({ outcome: 'absent' });
    expect(await provider.lookup({ paymentId: 'nobody', providerRef: 'pi_nobody' })).toEqual({ outcome: 'absent' });
  });

  test('another card under the same payment: what was done with the first counts', async () => {
    const asked = request();
    await provider.capture(asked);
    const again = await provider.capture({ ...asked, token: 'pm_card_visa_chargeDeclined' });
    expect(again).toMatchObject({ outcome: 'captured' });
    expect(await capturesOf(asked)).toHaveLength(1);
  });
});

describe('faults', () => {
  test('no answer in time; the repeat learns what was done meanwhile', async () => {
    await simulator.control.faults({ delayMs: 600 });
    const asked = request();
    const fault = await faultOf(through(sidecar, 200).capture(asked));
    expect(fault.code).toBe('PROVIDER_TIMEOUT');
    await simulator.control.reset();
    expect(await provider.lookup({ paymentId: asked.paymentId })).toEqual({ outcome: 'absent' });
    await pause(700);
    expect(await capturesOf(asked)).toHaveLength(1);
    expect(await provider.capture(asked)).toMatchObject({ outcome: 'captured' });
    expect(await capturesOf(asked)).toHaveLength(1);
  });

  test('done, but the answer was lost: a fault, and the repeat captures nothing more', async () => {
    await simulator.control.faults({ dropNext: 1 });
    const asked = request();
    await faultOf(provider.capture(asked));
    expect(await capturesOf(asked)).toHaveLength(1);
    expect(await provider.capture(asked)).toMatchObject({ outcome: 'captured' });
    expect(await capturesOf(asked)).toHaveLength(1);
  });

  test.each([
    ['500', { failNext: 1 }],
    ['503', { down: true }],
    ['connections refused', { down: 'refuse' as const }],
  ])('%s', async (_name, faults) => {
    const asked = request();
    await simulator.control.faults(faults);
    await faultOf(provider.capture(asked));
    await simulator.control.reset();
    expect(await provider.capture(asked)).toMatchObject({ outcome: 'captured' });
    expect(await capturesOf(asked)).toHaveLength(1);
  });

  test('an open breaker is never taken for a success', async () => {
    const asked = request();
    expect(await withBreaker.capture(request())).toMatchObject({ outcome: 'captured' });
    await simulator.control.faults({ down: true });
    for (let i = 0; i < 2; i += 1) expect((await faultOf(withBreaker.capture(asked))).code).toBe('PROVIDER_ERROR');
    await simulator.control.reset();
    const { requests } = await simulator.control.book();
    const open = await faultOf(withBreaker.capture(asked));
    expect(open.code).toBe('PROVIDER_ANSWER');
    expect(open.message).toContain('ERR_DIRECT_INVOKE');
    expect((await faultOf(withBreaker.lookup(asked))).code).toBe('PROVIDER_ANSWER');
    const refund = { ...asked, providerRef: 'pi_1', refundId: 'refund-at-open-breaker' };
    expect((await faultOf(withBreaker.refund(refund))).code).toBe('PROVIDER_ANSWER');
    // The provider heard nothing of these: it was the breaker that answered.
    expect((await simulator.control.book()).requests).toBe(requests);
    expect(await capturesOf(asked)).toEqual([]);
    await pause(1_100);
    expect(await withBreaker.capture(asked)).toMatchObject({ outcome: 'captured' });
  });

  test('an unknown endpoint', async () => {
    const nowhere = await bench.app({ appId: 'without-endpoint' });
    expect((await faultOf(through(nowhere).capture(request()))).code).toBe('PROVIDER_ANSWER');
  });
});

describe('webhooks, through the sidecar to the broker', () => {
  const kindsOf = ({ paymentId }: CaptureRequest) =>
    heard
      .map(({ id, data }) => ({ id, data: data as { paymentId: string; kind: string } }))
      .filter(({ data }) => data.paymentId === paymentId)
      .map(({ id, data }) => ({ id, kind: data.kind }));

  test('doubled webhooks arrive with one event id; the signature survives the sidecar', async () => {
    await simulator.control.faults({ webhooks: { double: true } });
    const asked = request();
    await provider.capture(asked);
    await until(async () => kindsOf(asked).length >= 2);
    expect(new Set(kindsOf(asked).map(({ id }) => id)).size).toBe(1);
    expect(kindsOf(asked)[0]?.kind).toBe('captured');
  });

  test('a decline, a refund', async () => {
    const [good, bad] = [request(), request('pm_card_visa_chargeDeclined')];
    const captured = await provider.capture(good);
    if (captured.outcome !== 'captured') throw new Error(captured.outcome);
    await provider.capture(bad);
    await provider.refund({ ...good, providerRef: captured.providerRef, refundId: `refund-of-${good.paymentId}` });
    await until(async () => kindsOf(good).length === 2 && kindsOf(bad).length === 1);
    expect(
      kindsOf(good)
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['captured', 'refunded']);
    expect(kindsOf(bad).map(({ kind }) => kind)).toEqual(['failed']);
  });

  test('while the broker is down the webhook is not acknowledged, and comes again', async () => {
    await bench.broker.kill();
    const asked = request();
    await provider.capture(asked);
    await pause(1_500);
    expect((await simulator.control.book()).webhooks.pending).toBeGreaterThan(0);
    await bench.broker.start();
    await until(async () => kindsOf(asked).length > 0, 30_000);
    await until(async () => (await simulator.control.book()).webhooks.pending === 0, 30_000);
  }, 70_000);
});
