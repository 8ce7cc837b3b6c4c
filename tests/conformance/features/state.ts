// Everything that is asked of a state store behind daprd: what the kit relies on, and where stores differ.
import { afterAll, beforeAll, describe } from '@jest/globals';
import { plainFeatures, sidecarFeatures } from '#kit/testing/sidecar-features';
import { type App, type Bench, startBench } from '../harness.ts';
import type { Store } from '../sets/set.ts';
import { RawState } from './raw-state.ts';
import { stateDurability } from './state-durability.ts';
import { meetingTransactions, sharedReads } from './state-replicas.ts';
import { guardTraits, transactionTraits, valueTraits } from './state-traits.ts';

/**
 * Registers the tests against a real daprd. For a store that is only ever a cache, the kit relies on no guard and no
 * transaction.
 */
export function stateFeatures(store: Store, { only }: { only?: 'a cache' } = {}): void {
  describe(`state: ${store.title}`, () => {
    let bench: Bench;
    let app: App;
    let replica: App;
    beforeAll(async () => {
      bench = await startBench({ store, broker: false });
      // One after the other: two that make PostgreSQL's tables at the same moment collide, and one of them ends.
      app = await bench.app({ appId: 'probe' });
      replica = await bench.app({ appId: 'probe' });
    }, 120_000);
    afterAll(() => bench?.stop(), 30_000);

    const sidecar = () => app.sidecar;
    const replicas = () => [app.sidecar, replica.sidecar] as const;
    const raw = new RawState(() => app.daprPort);

    describe('what the kit relies on', () => {
      const features = only === 'a cache' ? plainFeatures : sidecarFeatures;
      features(sidecar, 'statestore');
      sharedReads(replicas);
      if (only !== 'a cache') meetingTransactions(replicas);
    });
    describe('guards', () => guardTraits(raw, store.traits));
    describe('transactions', () => transactionTraits(raw, store.traits));
    describe('values', () => valueTraits(raw, store.traits));
    describe('durability', () =>
      stateDurability(
        () => bench,
        () => app,
        store.traits,
      ));
  });
}
