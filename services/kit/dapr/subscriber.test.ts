// What the adaptor answers to daprd, whatever comes in: one SUCCESS or RETRY per entry, or a 5xx. Never a 404, which
// loses the batch, never an empty body, never DROP (tests/conformance/bulk-answers.test.ts shows what daprd makes of them).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { Contracts } from '../events/contracts.ts';
import type { Message } from '../events/message.ts';
import type { Status } from '../events/reactor.ts';
import { createApp } from '../http/app.ts';
import { silent } from '../log.ts';
import { type FakeSidecar, startFakeSidecar } from '../testing/fake-sidecar.ts';
import { deadLetters } from './dead-letters.ts';
import { subscriber } from './subscriber.ts';

const ROUTE = '/dapr/events/pubsub-saga/shops';

let sidecar: FakeSidecar;
let handle: (messages: readonly Message[]) => Promise<Status[]>;
let daprd: ReturnType<typeof supertest>;
const services = mkdtempSync(join(tmpdir(), 'contracts-'));

beforeAll(async () => {
  sidecar = await startFakeSidecar();
  mkdirSync(join(services, 'shop', 'contracts'), { recursive: true });
  const contract = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } };
  writeFileSync(join(services, 'shop', 'contracts', 'shop.opened.v1.json'), JSON.stringify(contract));
  const app = createApp({
    name: 'probe',
    log: silent,
    routes: [],
    verifier: { identify: async () => undefined },
    middleware: [
      deadLetters({ of: [{ topic: 'shops', appId: 'report' }], keep: async () => undefined, log: silent }),
      subscriber({
        appId: 'probe',
        subscriptions: [
          { pubsub: 'pubsub-saga', topic: 'shops', types: ['shop.opened'], handle: (messages) => handle(messages) },
        ],
        contracts: new Contracts(services),
        sidecar: sidecar.client,
        log: silent,
      }),
    ],
  });
  daprd = supertest(app.callback());
});
afterAll(async () => {
  await sidecar.close();
  rmSync(services, { recursive: true });
});
beforeEach(() => {
  handle = async (messages) => messages.map(() => 'SUCCESS');
  sidecar.published.length = 0;
  sidecar.intercept = undefined;
});

function event(version: number, payload: unknown = { name: 'One' }, type = 'retail.shop.opened.v1') {
  const data = { stream: 'shop:a', version, at: '2026-01-01T00:00:00.000Z', payload };
  return { specversion: '1.0', id: `event-${version}`, type, source: 'shop', data };
}

/** Delivers events and answers their statuses in order. */
async function deliver(...events: unknown[]): Promise<string[]> {
  const entries = events.map((each, index) => ({ entryId: `e${index}`, event: each }));
  const { status, body } = await daprd.post(ROUTE).send({ entries });
  expect(status).toBe(200);
  expect(body.statuses.map(({ entryId }: { entryId: string }) => entryId)).toEqual(entries.map((e) => e.entryId));
  return body.statuses.map((each: { status: string }) => each.status);
}

test('the subscriptions are declared in bulk with their dead-letter topics', async () => {
  const { body } = await daprd.get('/dapr/subscribe').expect(200);
  expect(body).toEqual([
    {
      pubsubname: 'pubsub-saga',
      topic: 'shops',
      route: ROUTE,
      deadLetterTopic: 'shops.dead.probe',
      bulkSubscribe: { enabled: true, maxMessagesCount: 50, maxAwaitDurationMs: 5 },
    },
    {
      pubsubname: 'pubsub-dead',
      topic: 'shops.dead.report',
      route: '/dapr/dead/shops/report',
      metadata: { rawPayload: 'true' },
    },
  ]);
});

describe('a delivery that cannot be read comes again', () => {
  test.each([
    ['for a subscription that is no longer here', '/dapr/events/pubsub-saga/orders', '{"entries":[]}'],
    ['for dead letters that are no longer read', '/dapr/dead/shops/auth', '{}'],
    ['cut in the middle', ROUTE, '{"entries":[{"entryId":"0",'],
    ['empty', ROUTE, ''],
    ['without entries', ROUTE, '{}'],
    ['not of objects', ROUTE, '{"entries":[null]}'],
  ])('%s', async (_, path, body) => {
    const reply = await daprd.post(path).set('content-type', 'application/json').send(body);
    expect(reply.status).toBeGreaterThanOrEqual(500);
  });
});

test('every message that is handled is SUCCESS, also one of a type that nobody asked for', async () => {
  const seen: number[] = [];
  handle = async (messages) => {
    seen.push(...messages.map(({ version }) => version));
    return messages.map(() => 'SUCCESS');
  };
  expect(await deliver(event(1), event(2, {}, 'retail.shop.closed.v1'), event(3))).toEqual(Array(3).fill('SUCCESS'));
  expect(seen).toEqual([1, 3]);
});

test('a handler that throws, or answers too little, brings its messages back', async () => {
  handle = async () => {
    throw new Error('not today');
  };
  expect(await deliver(event(1), event(2))).toEqual(['RETRY', 'RETRY']);
  handle = async () => ['SUCCESS'];
  expect(await deliver(event(1), event(2))).toEqual(['SUCCESS', 'RETRY']);
});

test.each([
  ['no CloudEvent', 'text', 'NOT_A_CLOUD_EVENT'],
  ['another house’s CloudEvent', { specversion: '1.0', id: '1', type: 'x', source: 'y' }, 'NOT_OUR_CLOUD_EVENT'],
  ['without its version', event(Number.NaN), 'ENVELOPE_INCOMPLETE'],
  ['a payload against its contract', event(2, { name: 1 }), 'CONTRACT_BROKEN'],
])('%s goes to the dead letters, and the others go on', async (_, poison, reason) => {
  expect(await deliver(event(1), poison, event(3))).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
  expect(sidecar.published).toMatchObject([
    {
      pubsub: 'pubsub-saga',
      topic: 'shops.dead.probe',
      event: { reason, attempts: 1, topic: 'shops', appId: 'probe' },
    },
  ]);
});

test('poison that cannot be buried now comes again', async () => {
  sidecar.intercept = () => 'break';
  expect(await deliver(event(1), 'poison')).toEqual(['SUCCESS', 'RETRY']);
});

test('what the handler calls poison keeps its reason and attempts', async () => {
  handle = async () => [{ poison: 'DECISION_FAILED', attempts: 5 }];
  expect(await deliver(event(7))).toEqual(['SUCCESS']);
  const [{ event: letter } = { event: undefined }] = sidecar.published;
  expect(letter).toMatchObject({ reason: 'DECISION_FAILED', attempts: 5, stream: 'shop:a', version: 7 });
});

test('a letter says what breaks the contract, and where', async () => {
  expect(await deliver(event(1, { name: 7 }))).toEqual(['SUCCESS']);
  expect(sidecar.published[0]?.event).toMatchObject({
    reason: 'CONTRACT_BROKEN',
    detail: expect.stringContaining('/name'),
  });
});

test('poison of any size gets a letter that the broker takes', async () => {
  const { data, ...rest } = event(1);
  const huge = {
    ...rest,
    data: { ...data, stream: 'x'.repeat(100_000), payload: { name: 7, text: 'y'.repeat(1_000_000) } },
  };
  expect(await deliver(huge)).toEqual(['SUCCESS']);
  const [letter] = sidecar.published;
  expect(JSON.stringify(letter?.event).length).toBeLessThan(10_000);
  expect(letter?.partitionKey?.length).toBeLessThan(100);
});
