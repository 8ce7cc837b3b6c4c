// Brokers and sidecars that die: what was acknowledged, what was consumed, who goes on.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Publication } from '#kit/dapr/sidecar';
import { Fault } from '#kit/errors';
import { type App, type Bench, startBench } from '../harness.ts';
import type { Broker } from '../sets/set.ts';
import { until } from '../until.ts';
import { batchOf, listener, publishAll } from './listener.ts';

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

    const publish = (topic: string, publications: readonly Publication[]) =>
      publishAll(publisher.sidecar, topic, publications);

    test('a broker that is killed keeps what it acknowledged, and what each group had consumed', async () => {
      const ears = listener('shops');
      const app = await bench.app({ appId: 'reader', handler: ears.handler });
      await publish('shops', batchOf('kept', 1, 40));
      await until(() => ears.heard('kept').length === 40);
      await app.daprd.kill('SIGTERM');
      await publish('shops', batchOf('kept', 41, 100));
      await bench.broker.kill();
      await bench.broker.start();
      await app.daprd.start();
      await until(() => ears.heard('kept').length >= 140);
      expect(ears.heard('kept')).toEqual(numbers(140));
      await app.stop();
    }, 120_000);

    test('while the broker is away nothing counts as published; after its return what is sent again is heard', async () => {
      const ears = listener('payments');
      await bench.app({ appId: 'patient', handler: ears.handler });
      await publish('payments', batchOf('outage', 1, 5));
      await until(() => ears.heard('outage').length === 5);
      await bench.broker.kill();
      const once = () => publisher.sidecar.publish('pubsub-saga', 'payments', batchOf('outage', 6, 5));
      const refusal = await once().catch((error) => error);
      expect(refusal instanceof Fault || refusal.length === 5).toBe(true);
      await bench.broker.start();
      await until(async () => (await once()).length === 0, 60_000); // the producer's breaker stays open for ten seconds
      // Not asked for in order: of a call that fails in part, later entries may lie before those that are sent again.
      await until(() => numbers(10).every((version) => ears.heard('outage').includes(version)));
    }, 120_000);

    test('a second replica takes its share; when it is killed the first goes on with all, and nothing is lost', async () => {
      const [one, other] = [listener('inventory'), listener('inventory')];
      await bench.app({ appId: 'twin', handler: one.handler });
      const second = await bench.app({ appId: 'twin', handler: other.handler });
      const keys = numbers(12).map((n) => `share-${n}`);
      let version = 0;
      const next = async () => {
        version += 1;
        await publish(
          'inventory',
          keys.flatMap((key) => batchOf(key, version, 1)),
        );
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
