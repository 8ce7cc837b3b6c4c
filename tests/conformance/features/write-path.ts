// The kit's write path on a real daprd: first write, conflict, lanes, publish after commit, redelivery.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Fault } from '#kit/errors';
import { type EventOf, type Origin, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import type { Desk } from '#kit/events/desk';
import { Outbox } from '#kit/events/outbox';
import { Streams } from '#kit/events/streams';
import { type App, type Bench, startBench } from '../harness.ts';
import { type ComponentSet, titleOf } from '../sets/set.ts';
import { until } from '../until.ts';

interface Counter {
  readonly total: number;
}
type Counted = EventOf<'probe.counted', { by: number }>;
const counters: StreamKind<Counter, Counted> = {
  name: 'counter',
  initial: { total: 0 },
  evolve: (state, event) => ({ total: state.total + event.data.by }),
  retention: 'inline',
  topic: 'orders',
  partitionKey: () => 'p',
};
const origin: Origin = { actor: 'test', correlationId: 'c', causationId: 'x', traceparent: '' };
const log = pino({ level: 'silent' });

type Ref = StreamRef<Counter, Counted>;

interface Replica {
  readonly streams: Streams;
  readonly outbox: Outbox;
}

/** Registers the tests. */
export function writePathFeatures(set: ComponentSet): void {
  describe(`kit: ${titleOf(set)}: write path`, () => {
    let bench: Bench;
    let app: App;
    beforeAll(async () => {
      bench = await startBench(set);
      app = await bench.app({ appId: 'probe' });
    }, 120_000);
    afterAll(() => bench?.stop(), 30_000);

    /** As a second process of the service would be: with a slot of its own. */
    async function replica(): Promise<Replica> {
      const streams = new Streams({ sidecar: app.sidecar, store: 'statestore', source: 'probe' });
      const outbox = new Outbox({ sidecar: app.sidecar, store: 'statestore', publisher: streams.publisher, log });
      streams.useOutbox(outbox);
      await outbox.start();
      return { streams, outbox };
    }

    /** As a client does: a fault (too many conflicts on a loaded machine) is repeated as the same command. */
    async function count(streams: Streams, refs: readonly Ref[], command: string): Promise<void> {
      const decide = (desk: Desk) => {
        for (const ref of refs) {
          if (desk.wrote(ref) === undefined) desk.append(ref, { type: 'probe.counted', data: { by: 1 } });
        }
      };
      try {
        await streams.execute({ touch: refs, origin: { ...origin, causationId: command }, decide });
      } catch (error) {
        if (error instanceof Fault) return count(streams, refs, command);
        throw error;
      }
    }

    test('eight writers at one stream lose nothing', async () => {
      const { streams: mine, outbox } = await replica();
      const ref = streamOf(counters, 'hot');
      await Promise.all(Array.from({ length: 40 }, (_, n) => count(mine, [ref], `command-${n}`)));
      const document = await mine.read(ref);
      expect(document?.state.total).toBe(40);
      expect(document?.events.map(({ version }) => version)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
      await until(() => mine.publisher.publishedVersion(document as never) === 40); // an answer waits for the broker 100 ms at most
      await outbox.stop();
      expect((await app.sidecar.get<{ holder: string }>('statestore', 'outbox:0'))?.value.holder).toBe('');
    });

    test('of many creators of one stream one wins, and each answers what that one created', async () => {
      const replicas = await Promise.all([1, 2, 3, 4].map(replica));
      const ref = streamOf(counters, 'created');
      const create = ({ streams }: Replica, by: number) =>
        streams.execute({
          touch: [ref],
          origin: { ...origin, causationId: `create-${by}` },
          decide(desk) {
            if (desk.state(ref).total === 0) desk.append(ref, { type: 'probe.counted', data: { by } });
            return desk.state(ref).total;
          },
        });
      const answers = await Promise.all(replicas.map((each, n) => create(each, n + 1)));
      const document = await replicas[0]?.streams.read(ref);
      expect(document?.version).toBe(1);
      expect(answers).toEqual(Array(4).fill(document?.state.total));
      await Promise.all(replicas.map(({ outbox }) => outbox.stop()));
    });

    test('two replicas that change the same 97 streams, named in opposite orders: both changes are in all of them', async () => {
      const refs = Array.from({ length: 97 }, (_, n) => streamOf(counters, `wide-${n}`));
      const [one, two] = await Promise.all([replica(), replica()]);
      for (const round of [1, 2]) {
        await Promise.all([
          count(one.streams, refs, `one-${round}`),
          count(two.streams, refs.toReversed(), `two-${round}`),
        ]);
      }
      const totals = await Promise.all(refs.map(async (ref) => (await one.streams.read(ref))?.state.total));
      expect(totals).toEqual(Array(97).fill(4));
      await Promise.all([one.outbox.stop(), two.outbox.stop()]);
    });
  });
}
