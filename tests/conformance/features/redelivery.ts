// Two services that answer each other's events, made to hear everything again: nothing changes, and it ends.
// Invariant I12, and the rule (decision 0004) that a message publishes again only what it caused itself.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import { subscriber } from '#kit/dapr/subscriber';
import { Fault } from '#kit/errors';
import { type EventOf, type StreamKind, streamOf } from '#kit/events/aggregate';
import type { TopicName } from '#kit/events/catalogue';
import type { Desk } from '#kit/events/desk';
import { type Reactions, Reactor } from '#kit/events/reactor';
import { Streams } from '#kit/events/streams';
import { silent } from '#kit/log';
import { type App, type Bench, startBench } from '../harness.ts';
import { QUICK, type ScriptedApp, scriptedApp } from '../scripted-app.ts';
import { type ComponentSet, titleOf } from '../sets/set.ts';
import { until } from '../until.ts';

type Step = EventOf<'question.asked' | 'question.noted' | 'answer.given' | 'answer.closed', object>;

function kindOf(name: string, topic: TopicName): StreamKind<readonly string[], Step> {
  return {
    name,
    topic,
    initial: [],
    evolve: (done, event) => [...done, event.type],
    retention: 'inline',
    partitionKey: () => 'all',
  };
}
const questions = kindOf('question', 'orders');
const answers = kindOf('answer', 'inventory');

/** Upon `heard`, `said` happens in the stream of the same id, once. */
function reaction(kind: typeof questions, heard: Step['type'], said: Step['type']): Reactions {
  const refOf = (stream: string) => streamOf(kind, stream.split(':')[1] ?? '');
  return {
    [heard]: {
      touch: ({ stream }) => [refOf(stream)],
      decide(desk, { stream }) {
        const ref = refOf(stream);
        if (!desk.state(ref).includes(said)) desk.append(ref, { type: said, data: {} });
      },
    },
  };
}

const services = {
  asker: { hears: 'inventory', reactions: reaction(questions, 'answer.given', 'question.noted') },
  answerer: {
    hears: 'orders',
    reactions: {
      ...reaction(answers, 'question.asked', 'answer.given'),
      ...reaction(answers, 'question.noted', 'answer.closed'),
    },
  },
} as const;

/** Registers the tests. */
export function redeliveryFeatures(set: ComponentSet): void {
  describe(`kit: ${titleOf(set)}: redelivery`, () => {
    let bench: Bench;
    let asker: { app: App; streams: Streams };
    let answerer: { app: App; streams: Streams };
    let listener: ScriptedApp;

    /** A service without memory of its own past, whose consumer group is new: it hears its topic from the start. */
    async function start(appId: keyof typeof services, group: string): Promise<{ app: App; streams: Streams }> {
      const { hears, reactions } = services[appId];
      const koa = new Koa();
      let handler = koa.callback();
      const app = await bench.app({ appId, group, handler: (request, response) => handler(request, response) });
      await app.daprd.kill();
      const streams = new Streams({ sidecar: app.sidecar, store: 'statestore', source: appId });
      const reactor = new Reactor({ streams, reactions, log: silent });
      const contracts = { check: () => undefined };
      const handle: Reactor['handle'] = (messages) => reactor.handle(messages);
      const subscription = { pubsub: 'pubsub-saga', topic: hears, types: Object.keys(reactions), handle } as const;
      koa.use(subscriber({ appId, subscriptions: [subscription], contracts, sidecar: app.sidecar, log: silent }));
      handler = koa.callback();
      await app.daprd.start();
      return { app, streams };
    }

    beforeAll(async () => {
      bench = await startBench(set);
      listener = scriptedApp({ 'pubsub-saga': ['orders', 'inventory'] }, 'nobody', QUICK);
      [asker, answerer] = await Promise.all([
        start('asker', 'asker'),
        start('answerer', 'answerer'),
        bench.app({ appId: 'listener', handler: listener.handler }),
      ]);
    }, 120_000);
    afterAll(() => bench?.stop(), 30_000);

    const messages = () => listener.deliveries.flatMap(({ entries }) => entries.map(({ event }) => String(event.type)));
    const closed = () => messages().filter((type) => type === 'retail.answer.closed.v1').length;

    async function ask(id: string): Promise<void> {
      const ref = streamOf(questions, id);
      const origin = { actor: 'test', correlationId: id, causationId: `ask-${id}`, traceparent: '' };
      const decide = (desk: Desk) => desk.append(ref, { type: 'question.asked', data: {} });
      await asker.streams.react({ touch: [ref], origin, decide }).catch(async (error) => {
        // Saved, and not published: a broker on a loaded machine may be late.
        const document = await asker.streams.read(ref);
        if (!(error instanceof Fault) || !document) throw error;
        await until(async () => {
          await asker.streams.publishAll([document]);
          return true;
        });
      });
    }

    const ids = Array.from({ length: 20 }, (_, n) => `q${n}`);

    async function documents(): Promise<unknown> {
      const keysOf = (kind: string) => ids.map((id) => `${kind}:${id}`);
      return [
        ...(await asker.app.sidecar.getBulk('statestore', keysOf('question'))),
        ...(await answerer.app.sidecar.getBulk('statestore', keysOf('answer'))),
      ].sort();
    }

    test('each question runs its course of four events', async () => {
      await Promise.all(ids.map(ask));
      await until(() => closed() === ids.length);
      expect(messages()).toHaveLength(4 * ids.length);
    });

    test('both services restarted and every topic heard again from its start: nothing is written, and it ends', async () => {
      const before = await documents();
      await Promise.all([asker.app.stop(), answerer.app.stop()]);
      [asker, answerer] = await Promise.all([start('asker', 'asker-again'), start('answerer', 'answerer-again')]);
      // In one partition: when a new question has run its course, all that came before it was heard again.
      await ask('marker');
      await until(() => closed() > ids.length && messages().length >= 4 * ids.length + 4);
      await ask('second-marker');
      const markers = () =>
        listener.deliveries
          .flatMap(({ entries }) => entries)
          .filter(({ event }) => {
            const { stream } = event.data as { stream: string };
            return stream.endsWith(':second-marker');
          }).length;
      await until(() => markers() >= 4);
      expect(await documents()).toEqual(before);
      // The last event of a stream may come twice: no later save could note that it was published. Nothing else may.
      const repeats = messages().length - 4 * (ids.length + 2);
      expect(repeats).toBeLessThanOrEqual(2 * (ids.length + 2));
      // It is over: another round adds its own four and no more.
      const sofar = messages().length;
      await ask('third-marker');
      await until(() => messages().length >= sofar + 4);
      await ask('fourth-marker');
      await until(() => messages().length >= sofar + 8);
      expect(messages()).toHaveLength(sofar + 8);
    }, 120_000);
  });
}
