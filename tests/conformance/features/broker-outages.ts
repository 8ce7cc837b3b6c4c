// Brokers and sidecars that die: what was acknowledged, what was consumed, who goes on.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fault } from '#kit/errors';
import { type App, type Bench, startBench } from '../harness.ts';
import type { Broker } from '../sets/set.ts';
import { until } from '../until.ts';
import { batchOf, listener } from './listener.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

/** Registers the tests. */
export function brokerOutages(broker: Broker): void {
  describe(`broker: ${broker.title}: outages`, () => {
    let bench: Bench;
    let publisher: App;
    beforeAll(async () => {
      bench = await startBench({ broker });
      publisher = await bench.app({ appId: 'publisher' });
    }, 120_000);
    afterAll(() => bench?.stop(), 30_000);

    const publish = (topic: string, ...batches: ReturnType<typeof batchOf>[]) =>
      publisher.sidecar.publish('pubsub-saga', topic, batches.flat());

    test('a broker that is killed keeps what it acknowledged, and what each group had consumed', async () => {
      const ears = listener('shops');
      const app = await bench.app({ appId: 'reader', handler: ears.handler });
      expect(await publish('shops', batchOf('kept', 1, 40))).toEqual([]);
      await until(() => ears.heard('kept').length === 40);
      await app.daprd.kill('SIGTERM');
      expect(await publish('shops', batchOf('kept', 41, 100))).toEqual([]);
      await bench.broker.kill();
      await bench.broker.start();
      await app.daprd.start();
      await until(() => ears.heard('kept').length >= 140);
      expect(ears.heard('kept')).toEqual(numbers(140));
      await app.stop();
    }, 120_000);

    test('while the broker is away nothing counts as published; after its return publishing goes on, in order', async () => {
      const ears = listener('payments');
      await bench.app({ appId: 'patient', handler: ears.handler });
      expect(await publish('payments', batchOf('outage', 1, 5))).toEqual([]);
      await until(() => ears.heard('outage').length === 5);
      await bench.broker.kill();
      const lost = await publish('payments', batchOf('outage', 6, 1)).catch((error) => error);
      expect(lost instanceof Fault || lost.length === 1).toBe(true);
      await bench.broker.start();
      const taken = async () => (await publish('payments', batchOf('outage', 6, 5))).length === 0;
      await until(taken, 30_000); // the producer's breaker stays open for ten seconds
      await until(() => ears.heard('outage').includes(10));
      expect([...new Set(ears.heard('outage'))]).toEqual(numbers(10)); // repeats are allowed, gaps and disorder are not
    }, 120_000);

    test('a second replica takes its share; when it is killed the first goes on with all, and nothing is lost', async () => {
      const [one, other] = [listener('inventory'), listener('inventory')];
      await bench.app({ appId: 'twin', handler: one.handler });
      const second = await bench.app({ appId: 'twin', handler: other.handler });
      const keys = numbers(12).map((n) => `share-${n}`);
      let version = 0;
      const next = async () => {
        version += 1;
        const batches = keys.map((key) => batchOf(key, version, 1));
        expect(await publish('inventory', ...batches)).toEqual([]);
      };
      await until(async () => {
        await next();
        return [one, other].every((ears) => keys.some((key) => ears.heard(key).includes(version)));
      });
      await second.daprd.kill();
      await next();
      const heard = (key: string) => [...one.heard(key), ...other.heard(key)];
      await until(() => keys.every((key) => one.heard(key).includes(version)), 40_000);
      for (const key of keys) expect([...new Set(heard(key))].sort((a, b) => a - b)).toEqual(numbers(version));
    }, 120_000);
  });
}
