// The kit's subscriber, dead letters and publishing through a real daprd and broker: nothing lost, in order, byte for byte.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import { type DeadLetter, deadLetters } from '#kit/dapr/dead-letters';
import { type Subscription, subscriber } from '#kit/dapr/subscriber';
import { Fault, Poison } from '#kit/errors';
import type { TopicName } from '#kit/events/catalogue';
import type { StreamDocument } from '#kit/events/document';
import type { Message } from '#kit/events/message';
import { Publisher } from '#kit/events/publisher';
import type { Status } from '#kit/events/reactor';
import { silent } from '#kit/log';
import { type App, type Bench, startBench } from '../harness.ts';
import { cloudEvent, TRACEPARENT } from '../messages.ts';
import type { Broker } from '../sets/set.ts';
import { until } from '../until.ts';

/** Registers the tests. */
export function deliveries(broker: Broker): void {
  describe(`broker: ${broker.title}: the kit's subscriber`, () => {
    let bench: Bench;
    let probe: App;
    const heard: Message[] = [];
    const letters: DeadLetter[] = [];
    let status: (message: Message) => Status = () => 'SUCCESS';

    beforeAll(async () => {
      bench = await startBench({ broker });
      const koa = new Koa();
      let handler = koa.callback();
      probe = await bench.app({ appId: 'probe', handler: (request, response) => handler(request, response) });
      await probe.daprd.kill();
      const subscription = (pubsub: Subscription['pubsub'], topic: TopicName): Subscription => ({
        pubsub,
        topic,
        types: undefined,
        async handle(messages) {
          const statuses = messages.map(status);
          heard.push(...messages.filter((_, index) => statuses[index] === 'SUCCESS'));
          return statuses;
        },
      });
      const keep = async (letter: DeadLetter) => void letters.push(letter);
      koa.use(deadLetters({ of: [{ topic: 'orders', appId: 'probe' }], keep, log: silent }));
      koa.use(
        subscriber({
          appId: 'probe',
          subscriptions: [
            subscription('pubsub-saga', 'orders'),
            subscription('pubsub-saga', 'payments'),
            subscription('pubsub-views', 'inventory'),
          ],
          contracts: { check: forbidden },
          sidecar: probe.sidecar,
          log: silent,
        }),
      );
      handler = koa.callback();
      await probe.daprd.start();
    }, 120_000);
    afterAll(() => bench?.stop(), 30_000);
    beforeEach(() => {
      status = () => 'SUCCESS';
    });

    /** The one rule of this test's contracts. */
    function forbidden(type: string): void {
      if (type === 'order.forbidden') throw new Poison('CONTRACT_BROKEN');
    }

    let streams = 0;
    const fresh = () => `probe:${++streams}`;

    async function publish(topic: string, ...events: Record<string, unknown>[]): Promise<void> {
      const failed = await probe.sidecar.publish(
        'pubsub-saga',
        topic,
        events.map((event) => ({ event, partitionKey: 'shop' })),
      );
      expect(failed).toEqual([]);
    }

    const heardOf = (stream: string) => heard.filter((message) => message.stream === stream);
    const versionsOf = (stream: string) => heardOf(stream).map(({ version }) => version);

    test('traceparent comes as it was published when traceid is set too; without it daprd writes its own', async () => {
      const [kept, replaced] = [fresh(), fresh()];
      const { traceid: _, ...bare } = cloudEvent(replaced, 1, 'order.placed', {});
      await publish('orders', cloudEvent(kept, 1, 'order.placed', {}), bare);
      await until(() => heardOf(kept).length === 1 && heardOf(replaced).length === 1);
      expect(heardOf(kept)[0]?.traceparent).toBe(TRACEPARENT);
      expect(heardOf(replaced)[0]?.traceparent).not.toBe(TRACEPARENT);
    });

    test('a message that the broker does not take fails alone; of its stream nothing after it counts as published', async () => {
      const documentOf = (second: string): StreamDocument => {
        const key = fresh();
        const events = ['x', second, 'x'].map((data, n) => {
          return { id: `${key}-${n + 1}`, type: 'order.placed', version: n + 1, at: 'now', data, causationId: 'c' };
        });
        const published = { topic: 'orders', partitionKey: 'shop', publishedVersion: 0 };
        return { key, id: key, version: 3, state: {}, events, sealedPages: 0, commands: [], ...published };
      };
      const [large, small] = [documentOf('x'.repeat(1_500_000)), documentOf('x')];
      const publisher = new Publisher({ sidecar: probe.sidecar, pubsub: 'pubsub-saga', source: 'probe' });
      const [first, second] = await Promise.allSettled([publisher.publish(large), publisher.publish(small)]);
      expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
      expect((first as PromiseRejectedResult).reason).toBeInstanceOf(Fault);
      expect([publisher.publishedVersion(large), publisher.publishedVersion(small)]).toEqual([1, 3]);
      await until(() => versionsOf(small.key).includes(3));
      expect(versionsOf(small.key)).toEqual([1, 2, 3]);
      expect(versionsOf(large.key)).not.toContain(2);
    });

    test('bytes that are no message are buried by daprd, and read back as they were', async () => {
      const [before, after] = [fresh(), fresh()];
      const bytes = Buffer.from([0xff, 0x00, 0x7b, 0x22]);
      await publish('orders', cloudEvent(before, 1, 'order.placed', {}));
      const url = `http://127.0.0.1:${probe.daprPort}/v1.0/publish/pubsub-saga/orders?metadata.rawPayload=true&metadata.partitionKey=shop`;
      const headers = { 'content-type': 'application/octet-stream' };
      expect((await fetch(url, { method: 'POST', headers, body: bytes })).status).toBe(204);
      await publish('orders', cloudEvent(after, 1, 'order.placed', {}));
      await until(() => heardOf(after).length === 1 && letters.length === 1);
      expect(heardOf(before)).toHaveLength(1);
      expect(letters[0]).toMatchObject({
        topic: 'orders',
        appId: 'probe',
        reason: 'NOT_A_CLOUD_EVENT',
        stream: undefined,
      });
      expect(letters[0]?.body).toEqual(bytes);
    });

    test('poison is buried by the kit with its reason, stream and version; its neighbours go on', async () => {
      letters.length = 0;
      const stream = fresh();
      const poison = cloudEvent(stream, 2, 'order.forbidden', { kept: ['whole'] });
      await publish(
        'orders',
        cloudEvent(stream, 1, 'order.placed', {}),
        poison,
        cloudEvent(stream, 3, 'order.confirmed', {}),
      );
      await until(() => versionsOf(stream).includes(3) && letters.length === 1);
      expect(versionsOf(stream)).toEqual([1, 3]);
      expect(letters[0]).toMatchObject({
        reason: 'CONTRACT_BROKEN',
        attempts: 1,
        eventId: poison.id,
        stream,
        version: 2,
      });
      expect(JSON.parse(letters[0]?.body.toString() ?? '')).toMatchObject({ event: poison });
    });

    test('a failing message stops every topic of its component, and no other component', async () => {
      const [stuck, beside, elsewhere] = [fresh(), fresh(), fresh()];
      let tries = 0;
      status = ({ stream }) => {
        if (stream !== stuck) return 'SUCCESS';
        tries += 1;
        return 'RETRY';
      };
      await publish('orders', cloudEvent(stuck, 1, 'order.placed', {}));
      await until(() => tries > 1);
      await publish('payments', cloudEvent(beside, 1, 'payment.captured', {}));
      await publish('inventory', cloudEvent(elsewhere, 1, 'stock.reserved', {}));
      await until(() => heardOf(elsewhere).length === 1);
      const sofar = tries;
      await until(() => tries > sofar + 5); // long enough for the other topic, if it were let through
      expect(heardOf(beside)).toEqual([]);
      status = () => 'SUCCESS';
      await until(() => heardOf(stuck).length === 1 && heardOf(beside).length === 1);
    });

    test('the app gone while messages come, then back: nothing lost, each once, in order', async () => {
      const stream = fresh();
      await probe.vanish();
      await publish('orders', ...Array.from({ length: 20 }, (_, n) => cloudEvent(stream, n + 1, 'order.placed', {})));
      await probe.comeBack();
      await until(() => heardOf(stream).length >= 20);
      expect(versionsOf(stream)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    });
  });
}
