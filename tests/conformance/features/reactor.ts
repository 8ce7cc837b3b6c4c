// Messages through a real broker and daprd into streams: once in effect, in order, whatever is repeated.
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import { pino } from 'pino';
import { Sidecar } from '#kit/dapr/sidecar';
import { type Subscription, subscriber } from '#kit/dapr/subscriber';
import { type EventOf, type StreamKind, streamOf } from '#kit/events/aggregate';
import { GAP, type Reactions, Reactor } from '#kit/events/reactor';
import { Streams } from '#kit/events/streams';
import { idOf } from '#kit/ids';
import { type Gate, startGate, transactions } from '../gate.ts';
import { type App, type Bench, startBench } from '../harness.ts';
import { type ComponentSet, titleOf } from '../sets/set.ts';
import { until } from '../until.ts';

const log = pino({ level: process.env.TEST_LOG ?? 'silent' });

interface Seen {
  readonly done: readonly string[];
}
const receipts: StreamKind<Seen, EventOf<'probe.seen', { what: string }>> = {
  name: 'seen',
  initial: { done: [] },
  evolve: (state, event) => ({ done: [...state.done, event.data.what] }),
  retention: 'inline',
  topic: 'inventory',
  partitionKey: () => 'p',
};
const totals: StreamKind<{ sum: number }, EventOf<'probe.added', { by: number }>> = {
  name: 'total',
  initial: { sum: 0 },
  evolve: (state, event) => ({ sum: state.sum + event.data.by }),
  retention: 'paged',
};

interface Placed {
  readonly item: string;
  readonly chunks?: number;
  readonly fail?: boolean;
}

/** A reaction in the shape of a reservation: a cause, an effect on an item, optionally in chunks. */
const reactions: Reactions = {
  'order.placed': {
    touch: ({ stream, data }: { stream: string; data: Placed }) => [
      streamOf(receipts, stream),
      streamOf(totals, data.item),
    ],
    decide(desk, message) {
      const { item, chunks = 1, fail } = message.data as Placed;
      if (fail) throw new Error('this one never works');
      const cause = streamOf(receipts, message.stream);
      if (desk.state(cause).done.includes('placed')) return;
      desk.append(streamOf(totals, item), { type: 'probe.added', data: { by: 1 } });
      const chunk = (desk.progress<number>(cause) ?? 0) + 1;
      if (chunk < chunks) {
        desk.setProgress(cause, chunk);
        desk.again();
        return;
      }
      desk.setProgress(cause, undefined);
      desk.append(cause, { type: 'probe.seen', data: { what: 'placed' } });
    },
  },
  'order.confirmed': {
    touch: ({ stream }) => [streamOf(receipts, stream)],
    decide(desk, { stream }) {
      const cause = streamOf(receipts, stream);
      if (desk.state(cause).done.includes('confirmed')) return;
      if (!desk.state(cause).done.includes('placed')) return GAP;
      desk.append(cause, { type: 'probe.seen', data: { what: 'confirmed' } });
    },
  },
};

/** Registers the tests. */
export function reactorFeatures(set: ComponentSet): void {
  describe(`kit: ${titleOf(set)}: reactor`, () => {
    let bench: Bench;
    let probe: App;
    let owner: App;
    let gate: Gate;
    let streams: Streams;
    const letters: unknown[] = [];
    const owned = new Map<string, unknown[]>();

    beforeAll(async () => {
      bench = await startBench(set);
      owner = await bench.app({
        appId: 'owner',
        handler: (request, response) => {
          if (request.url === '/dapr/subscribe') {
            const metadata = { rawPayload: 'true' };
            const dead = { pubsubname: 'pubsub-dead', topic: 'orders.dead.probe', route: '/dead', metadata };
            response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify([dead]));
            return;
          }
          if (request.url === '/dead') {
            void json(request).then((body) => {
              const { data_base64 } = body as { data_base64: string };
              letters.push(JSON.parse(Buffer.from(data_base64, 'base64').toString('utf8')));
              response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"SUCCESS"}');
            });
            return;
          }
          const key = decodeURIComponent((request.url ?? '').split('/').at(-1) ?? '');
          response.writeHead(owned.has(key) ? 200 : 404, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ events: owned.get(key) }));
        },
      });
      const koa = new Koa();
      let handler = koa.callback();
      probe = await bench.app({ appId: 'probe', handler: (request, response) => handler(request, response) });
      await probe.daprd.kill();
      gate = await startGate(probe.daprPort);
      streams = new Streams({ sidecar: new Sidecar({ port: gate.port }), store: 'statestore', source: 'probe' });
      const reactor = new Reactor({ streams, reactions, log });
      const subscription: Subscription = {
        pubsub: 'pubsub-saga',
        topic: 'orders',
        types: Object.keys(reactions),
        handle: (messages) => reactor.handle(messages),
      };
      koa.use(
        subscriber({
          appId: 'probe',
          subscriptions: [subscription],
          contracts: { check: () => undefined },
          sidecar: probe.sidecar,
          log,
        }),
      );
      handler = koa.callback();
      await probe.daprd.start();
    }, 120_000);
    afterAll(async () => {
      await gate?.stop();
      await bench?.stop();
    }, 120_000);

    function event(stream: string, version: number, type: string, payload: unknown): Record<string, unknown> {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const data = {
        stream,
        version,
        at: '2026-01-01T00:00:00.000Z',
        actor: 'a',
        correlationId: 'c',
        causationId: 'x',
        payload,
      };
      return {
        specversion: '1.0',
        id: idOf(stream, String(version)),
        type: `retail.${type}.v1`,
        source: 'owner',
        subject: stream,
        datacontenttype: 'application/json',
        traceparent,
        traceid: traceparent,
        data,
      };
    }

    async function publish(...events: Record<string, unknown>[]): Promise<void> {
      await owner.sidecar.publish(
        'pubsub-saga',
        'orders',
        events.map((e) => ({ event: e, partitionKey: 'shop' })),
      );
    }

    async function sum(item: string): Promise<number> {
      return (await streams.read(streamOf(totals, item)))?.state.sum ?? 0;
    }

    async function done(stream: string): Promise<readonly string[]> {
      return (await streams.read(streamOf(receipts, stream)))?.state.done ?? [];
    }

    test('a hundred messages for one item, each sent three times, count a hundred', async () => {
      const events = Array.from({ length: 100 }, (_, n) => event(`order:a${n}`, 1, 'order.placed', { item: 'hot' }));
      await publish(...events, ...events);
      await publish(...events);
      await until(async () => (await done('order:a99')).length === 1);
      await publish(event('order:last', 1, 'order.placed', { item: 'other' }));
      await until(async () => (await sum('other')) === 1);
      expect(await sum('hot')).toBe(100);
    });

    test('a long-lived stream seals pages and keeps its history whole', async () => {
      const document = await streams.read(streamOf(totals, 'hot'));
      expect(document?.sealedPages).toBeGreaterThan(0);
      expect(document?.events.length).toBeLessThan(132);
      const versions = (await streams.cloudEvents('total:hot'))?.map((e) => (e.data as { version: number }).version);
      expect(versions).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    });

    test('work in chunks continues until it is done, once', async () => {
      const message = event('order:big', 1, 'order.placed', { item: 'chunked', chunks: 5 });
      await publish(message, message);
      await until(async () => (await done('order:big')).length === 1);
      await publish(event('order:after', 1, 'order.placed', { item: 'after' }));
      await until(async () => (await sum('after')) === 1);
      expect(await sum('chunked')).toBe(5);
    });

    test('a message that overtook is explained by the stream of its owner', async () => {
      owned.set('order:gap', [
        event('order:gap', 1, 'order.placed', { item: 'gap' }),
        event('order:gap', 2, 'order.confirmed', {}),
      ]);
      await publish(event('order:gap', 2, 'order.confirmed', {}));
      await until(async () => (await done('order:gap')).length === 2);
      expect(await done('order:gap')).toEqual(['placed', 'confirmed']);
      await publish(event('order:gap', 1, 'order.placed', { item: 'gap' }));
      await publish(event('order:after2', 1, 'order.placed', { item: 'after2' }));
      await until(async () => (await sum('after2')) === 1);
      expect(await sum('gap')).toBe(1);
    });

    test('a decision that always throws goes to the dead letters and the others go on', async () => {
      await publish(
        event('order:bad', 1, 'order.placed', { item: 'x', fail: true }),
        event('order:good', 1, 'order.placed', { item: 'good' }),
      );
      await until(async () => (await sum('good')) === 1);
      await until(async () => letters.length === 1);
      expect(letters[0]).toMatchObject({ reason: 'DECISION_FAILED', attempts: 5, stream: 'order:bad', version: 1 });
      expect(await done('order:bad')).toEqual([]);
    });

    test('the sidecar killed with a chunk under way and messages waiting: work goes on after its last chunk, none is lost', async () => {
      let chunks = 0;
      gate.shut((call) => transactions(call) && call.body.includes('seen:order:cut') && ++chunks > 2);
      await publish(event('order:cut', 1, 'order.placed', { item: 'cut', chunks: 5 }));
      await until(() => gate.held.length > 0);
      expect(await sum('cut')).toBe(2);
      await probe.daprd.kill();
      gate.clear();
      const events = Array.from({ length: 50 }, (_, n) => event(`order:k${n}`, 1, 'order.placed', { item: 'killed' }));
      await publish(...events);
      await probe.daprd.start();
      await until(async () => (await sum('killed')) === 50, 60_000);
      await until(async () => (await done('order:cut')).length === 1);
      expect(await sum('cut')).toBe(5);
    }, 120_000);

    test('the broker killed with unread messages keeps them', async () => {
      await probe.daprd.kill('SIGTERM');
      const events = Array.from({ length: 50 }, (_, n) => event(`order:b${n}`, 1, 'order.placed', { item: 'broker' }));
      await publish(...events);
      await bench.broker.kill();
      await bench.broker.start();
      await probe.daprd.start();
      await until(async () => (await sum('broker')) === 50, 25_000);
    }, 40_000);
  });
}
