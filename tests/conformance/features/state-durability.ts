// The process that keeps the data, killed under writes: what was acknowledged, what was under way, what works afterwards.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Fault } from '#kit/errors';
import type { App, Bench } from '../harness.ts';
import type { StateTraits } from '../sets/set.ts';
import { until } from '../until.ts';
import { firstWrite, freshKey as key, RawState, upsert } from './raw-state.ts';
import { trait } from './trait.ts';

const STORE = 'statestore';
const WRITERS = 8;
/** Transactions that are acknowledged before the kill. */
const ENOUGH = 150;

/** Registers the tests. They kill: nothing else may run on the bench meanwhile. */
export function stateDurability(bench: () => Bench, app: () => App, traits: StateTraits): void {
  const keeper = () => bench().storeServer ?? app().daprd;
  const raw = new RawState(() => app().daprPort);
  const acknowledged: string[][] = [];
  const underWay: string[][] = [];

  /** How many documents there are of each transaction. */
  async function found(transactions: readonly string[][]): Promise<number[]> {
    const counts: number[] = [];
    for (const names of transactions) counts.push((await app().sidecar.getBulk(STORE, names)).size);
    return counts;
  }

  async function write(): Promise<void> {
    for (;;) {
      const names = [key(), key(), key()];
      const creations = names.map((name) => upsert({ key: name, value: 1, options: firstWrite }));
      const answer = await raw.transact(...creations).catch(() => undefined);
      if (answer?.status !== 204) {
        underWay.push(names);
        return;
      }
      acknowledged.push(names);
    }
  }

  describe('killed under writes', () => {
    beforeAll(async () => {
      const writers = Array.from({ length: WRITERS }, write);
      await until(() => acknowledged.length >= ENOUGH);
      await keeper().kill();
      await Promise.all(writers);
    }, 120_000);

    test('while the store is away every call is a fault, and nothing is taken for absent', async () => {
      const { sidecar } = app();
      const one = acknowledged[0]?.[0] as string;
      await expect(sidecar.get(STORE, one)).rejects.toThrow(Fault);
      await expect(sidecar.getBulk(STORE, [one])).rejects.toThrow(Fault);
      await expect(sidecar.save(STORE, one, 2, 'any')).rejects.toThrow(Fault);
      await expect(sidecar.transact(STORE, [{ key: key(), value: 1, etag: undefined }])).rejects.toThrow();
    }, 120_000);

    test('afterwards all works again, without a restart of what survived', async () => {
      await keeper().start();
      const name = key();
      // Pools find out about their dead connections one call at a time.
      for (let calls = 0; calls < 5; calls += 1) {
        await until(async () => {
          await app().sidecar.save(STORE, name, calls, 'any');
          return (await app().sidecar.get(STORE, name))?.value === calls;
        });
      }
    }, 120_000);

    const row = 'what is left of acknowledged writes';
    const check = async (what: StateTraits['afterKill']) => {
      expect(new Set(await found(acknowledged))).toEqual(new Set([what === 'everything' ? 3 : 0]));
    };
    trait(row, traits.afterKill, check, 'everything');

    test('a transaction that was under way is there whole or not at all', async () => {
      expect(underWay.length).toBeGreaterThan(0);
      for (const count of await found(underWay)) expect([0, 3]).toContain(count);
    });
  });
}
