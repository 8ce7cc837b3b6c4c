// The kit's client where the client of @dapr/dapr goes wrong, both against the same daprd.
// Not here: gRPC proxying and actor proxies, which we do not
// use, and subscription metadata, which `deliveries.test.ts` shows by raw dead letters.
import { DaprClient, HttpMethod, LogLevel } from '@dapr/dapr';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Sidecar } from '#kit/dapr/sidecar';
import { Conflict, Fault } from '#kit/errors';
import { echoApp } from '#kit/testing/sidecar-features';
import { type Gate, startGate } from './gate.ts';
import { type App, type Bench, startBench } from './harness.ts';
import { cloudEvent } from './messages.ts';
import { sdkDefect } from './sdk-defect.ts';
import { until } from './until.ts';

const STORE = 'statestore';
const TOKEN = 'token-of-the-sidecar';

let bench: Bench;
let app: App;
let gate: Gate;
let kit: Sidecar;
let sdk: DaprClient;
const logged: string[] = [];

beforeAll(async () => {
  bench = await startBench();
  [app] = await Promise.all([
    bench.app({ appId: 'probe', token: TOKEN }),
    bench.app({ appId: 'echo', handler: echoApp }),
  ]);
  gate = await startGate(app.daprPort);
  kit = new Sidecar({ port: gate.port, token: TOKEN });
  const note = (...words: unknown[]) => void logged.push(words.join(' '));
  const service = { error: note, warn: note, info: note, verbose: note, debug: note };
  sdk = new DaprClient({
    daprHost: '127.0.0.1',
    daprPort: String(gate.port),
    daprApiToken: TOKEN,
    logger: { level: LogLevel.Debug, service },
  });
  await until(async () => Boolean(await kit.invoke('echo', 'GET', '/')));
}, 60_000);
afterAll(async () => {
  await sdk?.stop();
  await kit?.close();
  await gate?.stop();
  await bench?.stop();
}, 30_000);

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: Error) => error,
  );

describe('1: ETags and keys', () => {
  const key = 'a/b?c#d';
  test('the kit reads a value with its ETag, whatever the key', async () => {
    await kit.save(STORE, key, { n: 1 }, 'any');
    expect(await kit.get(STORE, key)).toEqual({ value: { n: 1 }, etag: expect.stringMatching(/./) });
  });
  sdkDefect('a read drops the ETag, and does not encode the key', async () => {
    await kit.save(STORE, 'plain', { n: 1 }, 'any');
    expect(await sdk.state.get(STORE, 'plain')).toEqual({ n: 1 });
    expect((await errorOf(sdk.state.get(STORE, key))) ?? (await sdk.state.get(STORE, key))).not.toEqual({ n: 1 });
    expect(gate.seen.at(-1)?.path).toBe(`/v1.0/state/${STORE}/a/b?c`);
  });
});

describe('2: transactions with an ETag', () => {
  test('the kit writes with the right one and is refused with a stale one', async () => {
    await kit.save(STORE, 'guarded', 1, 'any');
    const etag = (await kit.get(STORE, 'guarded'))?.etag;
    await kit.transact(STORE, [{ key: 'guarded', value: 2, etag }]);
    await expect(kit.transact(STORE, [{ key: 'guarded', value: 3, etag }])).rejects.toThrow(Conflict);
  });
  sdkDefect('the ETag is sent as an object, which daprd refuses', async () => {
    const value = (await kit.get(STORE, 'guarded'))?.etag ?? '';
    const request = { key: 'guarded', value: 3, etag: { value } };
    const error = await errorOf(sdk.state.transaction(STORE, [{ operation: 'upsert', request }]));
    expect(JSON.parse(error?.message ?? '{}')).toMatchObject({ status: 400 });
  });
});

describe('3: a bulk publish that fails in part', () => {
  const events = [
    cloudEvent('large:1', 1, 'order.placed', {}),
    cloudEvent('large:1', 2, 'order.placed', 'x'.repeat(1_500_000)),
  ];
  test('the kit says which entries failed', async () => {
    const failed = await kit.publish(
      'pubsub-saga',
      'orders',
      events.map((event) => ({ event, partitionKey: 'shop' })),
    );
    expect(failed).toEqual([1]);
  });
  sdkDefect('no message is said to have failed', async () => {
    const messages = events.map((event) => ({ event, contentType: 'application/cloudevents+json' }));
    const answer = await sdk.pubsub.publishBulk('pubsub-saga', 'orders', messages);
    expect(answer.failedMessages).toEqual([]);
  });
});

describe('4: the parallelism of a bulk read', () => {
  const asked = () => JSON.parse(gate.seen.at(-1)?.body ?? '{}') as object;
  test('the kit sends a number', async () => {
    await kit.getBulk(STORE, ['x']);
    expect(asked()).toMatchObject({ parallelism: expect.any(Number), metadata: { consistency: 'strong' } });
  });
  sdkDefect('the default is a function, which JSON leaves out', async () => {
    await sdk.state.getBulk(STORE, ['x']);
    expect(asked()).not.toHaveProperty('parallelism');
  });
});

describe('7: bodies', () => {
  const echoed = async (body: unknown) => JSON.parse((await kit.invoke('echo', 'POST', '/', { body })).body.toString());
  test('the kit sends 0, false, "" and texts as JSON', async () => {
    for (const body of [0, false, '', 'text']) {
      expect(await echoed(body)).toMatchObject({
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
    }
  });
  sdkDefect('a falsy body is left out, a text is no JSON', async () => {
    const sent = async (body: unknown) => {
      await errorOf(sdk.invoker.invoke('echo', 'x', HttpMethod.POST, body as object));
      return gate.seen.at(-1);
    };
    for (const body of [0, false, '']) expect((await sent(body))?.body).toBe('');
    expect(await sent('text')).toMatchObject({
      body: 'text',
      headers: { 'content-type': expect.stringContaining('text/plain') },
    });
  });
});

describe('8: the token', () => {
  test('is in no error of the kit', async () => {
    const errors = [
      await errorOf(kit.get('nowhere', 'x')),
      await errorOf(kit.invoke('nobody', 'GET', '/')),
      await errorOf(new Sidecar({ port: 1, token: TOKEN }).get(STORE, 'x')),
    ];
    for (const error of errors) {
      expect(error).toBeInstanceOf(Fault);
      expect(`${error?.stack} ${(error?.cause as Error | undefined)?.stack}`).not.toContain(TOKEN);
    }
  });
  sdkDefect('is written to the log with every call', async () => {
    await sdk.state.get(STORE, 'plain');
    expect(logged.join('\n')).toContain(TOKEN);
  });
});

describe('errors', () => {
  test('the kit throws: a Conflict for another version, a Fault for a broker or store that is not there', async () => {
    await kit.save(STORE, 'versioned', 1, 'any');
    await expect(kit.save(STORE, 'versioned', 2, { etag: '99' })).rejects.toThrow(Conflict);
    await expect(kit.delete(STORE, 'versioned', '99')).rejects.toThrow(Conflict);
    await expect(kit.save('nowhere', 'x', 1, 'any')).rejects.toThrow(Fault);
    await expect(kit.publish('nowhere', 'orders', [{ event: {}, partitionKey: 'a' }])).rejects.toThrow(Fault);
  });
  sdkDefect('a refused save, delete or publish resolves; who does not look at `error` loses a write', async () => {
    const etag = '99';
    const options = { concurrency: 1 };
    const saved = await sdk.state.save(STORE, [{ key: 'versioned', value: 2, etag, options } as never]);
    const deleted = await sdk.state.delete(STORE, 'versioned', { etag });
    const published = await sdk.pubsub.publish('nowhere', 'orders', { a: 1 });
    for (const { error } of [saved, deleted, published]) expect(error).toBeInstanceOf(Error);
    expect((await kit.get(STORE, 'versioned'))?.value).toBe(1);
  });

  test('the kit answers what an invoked app answered: status, headers and body', async () => {
    const reply = await kit.invoke('echo', 'POST', '/x', { body: {} });
    expect([reply.status, reply.headers['content-type']]).toEqual([418, 'application/json']);
    expect(JSON.parse(reply.body.toString())).toMatchObject({ method: 'POST', path: '/x' });
  });
  sdkDefect('an answer outside 2xx is an Error whose message is JSON; its headers are gone', async () => {
    const error = await errorOf(sdk.invoker.invoke('echo', 'x', HttpMethod.POST, {}));
    expect(Object.keys(error ?? {})).toEqual([]);
    expect(JSON.parse(error?.message ?? '{}')).toMatchObject({ status: 418 });
  });
});

describe('traces', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  test('the kit sends traceparent with a call, and in an event as it was stored', async () => {
    await kit.invoke('echo', 'GET', '/', { headers: { traceparent } });
    expect(gate.seen.at(-1)?.headers).toMatchObject({ traceparent });
    await kit.publish('pubsub-saga', 'orders', [
      { event: cloudEvent('trace:1', 1, 'order.placed', {}), partitionKey: 'a' },
    ]);
    expect(gate.seen.at(-1)?.body).toContain(`"traceparent":"${traceparent}"`);
  });
  sdkDefect('a save or a publish cannot carry one', async () => {
    await sdk.pubsub.publish('pubsub-saga', 'orders', { a: 1 }, { metadata: { traceparent } as never });
    expect(gate.seen.at(-1)?.headers).not.toHaveProperty('traceparent');
  });
});
