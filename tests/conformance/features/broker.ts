// What a Kafka-protocol broker behind daprd does: groups, offsets, partitions. What becomes of them when processes die is
// in `broker-outages.ts`.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Publication } from '#kit/dapr/sidecar';
import { type App, type Bench, startBench } from '../harness.ts';
import type { Broker } from '../sets/set.ts';
import { until } from '../until.ts';
import { batchOf, type Listener, listener, publishAll } from './listener.ts';
import { trait } from './trait.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

/** Registers the tests. */
export function brokerFeatures(broker: Broker): void {
  describe(`broker: ${broker.title}: log and groups`, () => {
    let bench: Bench;
    let publisher: App;
    beforeAll(async () => {
      bench = await startBench({ broker });
      publisher = await bench.app({ appId: 'publisher' });
    }, 120_000);
    afterAll(() => bench?.stop(), 30_000);

    const publish = (topic: string, publications: readonly Publication[]) =>
      publishAll(publisher.sidecar, topic, publications);

    test('a group that is new hears a topic from its start, and each group hears everything', async () => {
      await publish('shops', batchOf('early', 1, 20));
      const [one, other] = [listener('shops'), listener('shops')];
      await bench.app({ appId: 'late', handler: one.handler });
      await until(() => one.heard('early').length === 20);
      await publish('shops', batchOf('early', 21, 5));
      await bench.app({ appId: 'later', handler: other.handler });
      for (const each of [one, other]) {
        await until(() => each.heard('early').length >= 25);
        expect(each.heard('early')).toEqual(numbers(25));
      }
    });

    describe('partitions', () => {
      let ears: Listener;
      const keys = numbers(12).map((n) => `key-${n}`);
      beforeAll(async () => {
        ears = listener('payments');
        await bench.app({ appId: 'ears', handler: ears.handler });
        // Side by side: one call for each key at a time, as the kit's publisher does it.
        const inTurns = async (key: string) => {
          for (const round of [0, 1, 2, 3, 4]) await publish('payments', batchOf(key, 1 + 10 * round, 10));
        };
        await Promise.all(keys.map(inTurns));
        await until(() => keys.every((key) => ears.heard(key).length >= 50));
      });

      test('messages of one key come in order from one partition, whatever is published beside them', () => {
        for (const key of keys) {
          expect(ears.heard(key)).toEqual(numbers(50));
          expect(ears.placesOf(key).size).toBe(1);
        }
      });

      test('keys are spread over the partitions', () => {
        expect(new Set(keys.flatMap((key) => [...ears.placesOf(key)])).size).toBeGreaterThan(1);
      });

      test('offsets rise within a partition, without a gap', () => {
        for (const offsets of ears.offsets().values()) expect(offsets).toEqual(offsets.map((_, n) => n));
        expect([...ears.offsets().values()].flat()).toHaveLength(50 * keys.length);
      });
    });

    test('a message of 900 KB comes whole', async () => {
      const ears = listener('products');
      await bench.app({ appId: 'roomy', handler: ears.handler });
      const padding = 'ä'.repeat(450_000);
      await publish('products', batchOf('large', 1, 1, padding));
      await until(() => ears.heard('large').length === 1);
      const { data } = ears.deliveries[0]?.entries[0]?.event as { data: { payload: unknown } };
      expect(data.payload).toBe(padding);
    });

    test('a sidecar that left politely goes on after the last message that it had', async () => {
      const ears = listener('inventory');
      const app = await bench.app({ appId: 'leaver', handler: ears.handler });
      await publish('inventory', batchOf('stay', 1, 30));
      await until(() => ears.heard('stay').length === 30);
      await app.daprd.kill('SIGTERM');
      await publish('inventory', batchOf('stay', 31, 10));
      await app.daprd.start();
      await until(() => ears.heard('stay').length >= 40);
      expect(ears.heard('stay')).toEqual(numbers(40));
    });

    trait('a message for a topic that nobody made', broker.traits.unknownTopic, async (status) => {
      const url = `http://127.0.0.1:${publisher.daprPort}/v1.0/publish/pubsub-saga/nobody-made-this`;
      const headers = { 'content-type': 'application/json' };
      expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(status);
    });
  });
}
