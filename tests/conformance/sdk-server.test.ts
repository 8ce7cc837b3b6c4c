// The kit's subscriber where the server of @dapr/dapr goes wrong, both behind a real daprd.
// Actors are not here: this project has none yet.
import { DaprServer } from '@dapr/dapr';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { subscriber } from '#kit/dapr/subscriber';
import type { Message } from '#kit/events/message';
import { createApp } from '#kit/http/app';
import { silent } from '#kit/log';
import { type App, type Bench, startBench } from './harness.ts';
import { cloudEvent, TRACEPARENT } from './messages.ts';
import { sdkDefect } from './sdk-defect.ts';
import { until } from './until.ts';

const TOKEN = 'token-of-the-app';

interface Heard {
  readonly data: unknown;
  readonly headers: unknown;
}

let bench: Bench;
let kitApp: App;
let sdkApp: App;
const heardByKit: Message[] = [];
const heardBySdk: Heard[] = [];
const tries = { kit: 0, sdk: 0 };

/** Throws at the first try of the message that says so. */
function fail(data: unknown, by: 'kit' | 'sdk'): void {
  if ((data as { fail?: boolean } | null)?.fail !== true) return;
  tries[by] += 1;
  if (tries[by] === 1) throw new Error('not today');
}

type Handler = NonNullable<Parameters<Bench['app']>[0]['handler']>;

function kitHandler(): Handler {
  const handle = async (messages: readonly Message[]) => {
    for (const message of messages) fail(message.data, 'kit');
    heardByKit.push(...messages);
    return messages.map(() => 'SUCCESS' as const);
  };
  const subscriptions = [{ pubsub: 'pubsub-saga', topic: 'orders', types: undefined, handle }] as const;
  const contracts = { check: () => undefined } as never;
  const app = createApp({
    name: 'kit',
    log: silent,
    routes: [],
    appToken: TOKEN,
    verifier: { identify: async () => undefined },
    middleware: [subscriber({ appId: 'kit', subscriptions, contracts, sidecar: undefined as never, log: silent })],
  });
  return app.callback();
}

/** The SDK's Express app without its `start`, which would listen on every interface. */
async function sdkHandler(): Promise<Handler> {
  const service = { error() {}, warn() {}, info() {}, verbose() {}, debug() {} };
  const server = new DaprServer({ serverHost: '127.0.0.1', serverPort: '0', logger: { service } });
  for (const topic of ['orders', 'shops']) {
    await server.pubsub.subscribe('pubsub-saga', topic, async (data: unknown, headers: unknown) => {
      fail((data as { payload?: unknown }).payload, 'sdk');
      heardBySdk.push({ data, headers });
    });
  }
  const http = server.daprServer as unknown as {
    getServer(): Handler;
    getServerImpl(): { generateDaprPubSubSubscriptionList(): unknown };
  };
  return (request, response) => {
    if (request.url !== '/dapr/subscribe') return http.getServer()(request, response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(http.getServerImpl().generateDaprPubSubSubscriptionList()));
  };
}

beforeAll(async () => {
  bench = await startBench();
  [kitApp, sdkApp] = await Promise.all([
    bench.app({ appId: 'kit', handler: kitHandler(), appToken: TOKEN }),
    bench.app({ appId: 'sdk', handler: await sdkHandler(), appToken: TOKEN }),
  ]);
  const publish = (topic: string, ...events: object[]) =>
    kitApp.sidecar.publish(
      'pubsub-saga',
      topic,
      events.map((event) => ({ event, partitionKey: 'shop' })),
    );
  await publish(
    'orders',
    cloudEvent('probe:1', 1, 'order.confirmed', { fail: true }),
    cloudEvent('probe:1', 2, 'order.confirmed', 0),
    cloudEvent('probe:1', 3, 'order.confirmed', 'last'),
  );
  // For the SDK alone: the kit takes events of our form only.
  await publish('shops', { ...cloudEvent('probe:2', 1, 'shop.opened', {}), data: 0 });
  await until(() => heardByKit.some(({ data }) => data === 'last'));
  await until(() => heardBySdk.some(({ data }) => (data as { payload?: unknown }).payload === 'last'));
  await until(() => heardBySdk.length >= 3);
}, 60_000);
afterAll(() => bench.stop());

describe('a handler that throws', () => {
  test('the kit has the message come again: nothing is lost, and the order is kept', () => {
    expect(tries.kit).toBe(2);
    expect(heardByKit.map(({ version }) => version)).toEqual([1, 2, 3]);
  });
  sdkDefect('the message is acknowledged, and lost', async () => {
    expect(tries.sdk).toBe(1);
    expect(heardBySdk.map(({ data }) => (data as { version?: number }).version)).not.toContain(1);
  });
});

describe('the envelope', () => {
  test('the kit gives id, source and trace of the event with its payload, a falsy one too', () => {
    expect(heardByKit[1]).toMatchObject({
      id: cloudEvent('probe:1', 2, '', {}).id,
      source: 'owner',
      traceparent: TRACEPARENT,
      data: 0,
    });
  });
  sdkDefect('only the data is given: no id to know a repeat by; and for falsy data the whole envelope', async () => {
    const [placed] = heardBySdk.filter(({ data }) => (data as { version?: number }).version === 2);
    expect(JSON.stringify(placed)).not.toContain(cloudEvent('probe:1', 2, '', {}).id);
    expect(heardBySdk.map(({ data }) => data)).toContainEqual(expect.objectContaining({ specversion: '1.0', data: 0 }));
  });
});

describe('the app token', () => {
  const deliver = (port: number, path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ entries: [], data: { forged: true } }),
    });
  test('the kit lets only its sidecar in', async () => {
    expect((await deliver(kitApp.port, '/dapr/events/pubsub-saga/orders')).status).toBe(401);
  });
  sdkDefect('whoever can reach the port may deliver messages', async () => {
    const list = (await (await fetch(`http://127.0.0.1:${sdkApp.port}/dapr/subscribe`)).json()) as { route: string }[];
    const route = list[0]?.route ?? '';
    expect((await deliver(sdkApp.port, route.startsWith('/') ? route : `/${route}`)).status).toBe(200);
    expect(heardBySdk.map(({ data }) => data)).toContainEqual({ forged: true });
  });
});
