// The kit's write path on a real daprd: first write, conflict, lanes, publish after commit, redelivery.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Fault } from '#kit/errors';
import { type EventOf, type Origin, type StreamKind, streamOf } from '#kit/events/aggregate';
import type { Desk } from '#kit/events/desk';
import { Outbox } from '#kit/events/outbox';
import { Streams } from '#kit/events/streams';
import { type App, type Bench, startBench } from '../harness.ts';
import { type ComponentSet, titleOf } from '../sets/set.ts';

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

/** Registers the tests. */
export function writePathFeatures(set: ComponentSet): void {
  describe(`kit: ${titleOf(set)}`, () => {
    let bench: Bench;
    let app: App;
    beforeAll(async () => {
      bench = await startBench(set);
      app = await bench.app({ appId: 'probe' });
    }, 30_000);
    afterAll(() => bench?.stop(), 30_000);

    function streams(): Streams {
      return new Streams({ sidecar: app.sidecar, store: 'statestore', source: 'probe' });
    }

    test('eight writers at one stream lose nothing', async () => {
      const mine = streams();
      const outbox = new Outbox({ sidecar: app.sidecar, store: 'statestore', publisher: mine.publisher, log });
      mine.useOutbox(outbox);
      await outbox.start();
      const ref = streamOf(counters, 'hot');
      // As a client does: a fault (too many conflicts on a loaded machine) is repeated as the same command.
      const count = async (command: string): Promise<void> => {
        const decide = (desk: Desk) => {
          if (desk.wrote(ref) === undefined) desk.append(ref, { type: 'probe.counted', data: { by: 1 } });
        };
        try {
          await mine.execute({ touch: [ref], origin: { ...origin, causationId: command }, decide });
        } catch (error) {
          if (error instanceof Fault) return count(command);
          throw error;
        }
      };
      await Promise.all(Array.from({ length: 40 }, (_, n) => count(`command-${n}`)));
      const document = await mine.read(ref);
      expect(document?.state.total).toBe(40);
      expect(document?.events.map(({ version }) => version)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
      expect(mine.publisher.publishedVersion(document as never)).toBe(40);
      await outbox.stop();
      expect((await app.sidecar.get<{ holder: string }>('statestore', 'outbox:0'))?.value.holder).toBe('');
    });
  });
}
