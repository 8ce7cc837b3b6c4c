// Slots and lanes: what becomes of events that were saved and not published, when the process that saved them is killed,
// paused, or cannot reach the broker. See docs/decisions/0003-outbox-lanes.md.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Gate, publishing, startGate, transactions } from '../gate.ts';
import { type App, type Bench, startBench } from '../harness.ts';
import { QUICK, type ScriptedApp, scriptedApp } from '../scripted-app.ts';
import { type ComponentSet, titleOf } from '../sets/set.ts';
import { until } from '../until.ts';
import { DEAD_AFTER, startWriter, type Writer } from '../writer.ts';

/** Registers the tests. */
export function outboxFeatures(set: ComponentSet): void {
  describe(`kit: ${titleOf(set)}: outbox`, () => {
    let bench: Bench;
    let probe: App;
    let gate: Gate;
    let listener: ScriptedApp;
    const writers: Writer[] = [];

    beforeAll(async () => {
      bench = await startBench(set);
      listener = scriptedApp({ 'pubsub-saga': ['orders'] }, 'nobody', QUICK);
      [probe] = await Promise.all([
        bench.app({ appId: 'probe' }),
        bench.app({ appId: 'listener', handler: listener.handler }),
      ]);
      gate = await startGate(probe.daprPort);
    }, 120_000);
    afterAll(async () => {
      await gate?.stop();
      await bench?.stop();
    }, 120_000);
    afterEach(async () => {
      await Promise.all(writers.splice(0).map((writer) => writer.kill()));
      gate.clear();
    });

    async function writer(port: number): Promise<Writer> {
      const started = await startWriter(port);
      writers.push(started);
      return started;
    }

    /** Versions of a counter in the order in which the topic holds them. */
    function published(counter: string): number[] {
      return listener.deliveries
        .flatMap(({ entries }) => entries)
        .map(({ event }) => event.data as { stream: string; version: number })
        .filter(({ stream }) => stream === `counter:${counter}`)
        .map(({ version }) => version);
    }

    async function stored(counter: string): Promise<number> {
      const document = await probe.sidecar.get<{ version: number }>('statestore', `counter:${counter}`);
      return document?.value.version ?? 0;
    }

    interface Slot {
      readonly holder: string;
      readonly epoch: number;
    }
    async function slots(): Promise<Slot[]> {
      const keys = Array.from({ length: 16 }, (_, n) => `outbox:${n}`);
      return [...(await probe.sidecar.getBulk<Slot>('statestore', keys)).values()].map(({ value }) => value);
    }
    const held = async () => (await slots()).filter(({ holder }) => holder !== '').length;

    test('killed between save and publish: another process publishes exactly what was pending', async () => {
      const first = await writer(gate.port);
      expect(await first.count('a')).toMatchObject({ done: true });
      await until(() => published('a').length === 1);
      gate.shut(publishing);
      expect(await first.count('a')).toMatchObject({ done: true }); // answered without waiting for the broker
      expect(await first.count('b', 'c')).toMatchObject({ done: true });
      await first.kill();
      gate.clear();
      expect([await stored('a'), await stored('b'), await stored('c')]).toEqual([2, 1, 1]);
      expect([published('a'), published('b'), published('c')]).toEqual([[1], [], []]);

      const second = await writer(probe.daprPort);
      await until(() => published('a').length > 1 && published('b').length > 0 && published('c').length > 0);
      await until(async () => (await held()) === 1); // the slot of the dead is free again
      expect([published('a'), published('b'), published('c')]).toEqual([[1, 2], [1], [1]]);
      expect(await second.count('a')).toMatchObject({ done: true });
      await until(() => published('a').includes(3));
      // Lanes that are published are empty: a third process, after the death of the second, has nothing to say.
      await second.kill();
      const third = await writer(probe.daprPort);
      await until(async () => (await held()) === 1);
      expect(await third.count('end')).toMatchObject({ done: true });
      await until(() => published('end').length === 1);
      expect(published('b')).toEqual([1]);
    }, 120_000);

    test('killed in the middle of its transaction: written with its lane, or not at all', async () => {
      const first = await writer(gate.port);
      gate.shut(transactions);
      const outcomes = [first.count('d'), first.count('e')];
      // In one transaction or in two.
      await until(() => ['d', 'e'].every((name) => gate.held.some(({ body }) => body.includes(`counter:${name}`))));
      await first.kill();
      gate.open(); // both reach the store after the death of their sender
      expect((await Promise.all(outcomes)).map(({ done }) => done)).toEqual([false, false]);
      await until(async () => (await stored('d')) === 1 && (await stored('e')) === 1);
      expect([published('d'), published('e')]).toEqual([[], []]);
      await writer(probe.daprPort);
      await until(() => published('d').length === 1 && published('e').length === 1);
    }, 120_000);

    test('paused for so long that its slot was taken over: what it had begun cannot be written any more', async () => {
      const first = await writer(gate.port);
      expect(await first.count('f')).toMatchObject({ done: true });
      gate.shut(transactions);
      const begun = first.count('f');
      await until(() => gate.held.length === 1);
      first.pause();
      const second = await writer(probe.daprPort);
      const before = await slots();
      await until(async () => (await held()) === 1);
      expect((await slots()).some(({ epoch }, n) => epoch > (before[n]?.epoch ?? 0))).toBe(true);
      gate.open(); // the old transaction arrives now
      expect(await second.count('g')).toMatchObject({ done: true });
      first.resume();
      expect(await begun).toMatchObject({ done: false });
      expect(await stored('f')).toBe(1);
      // It notices, takes another slot and works on.
      await until(async () => (await first.count('f')).done);
      expect(await stored('f')).toBe(2);
      await until(() => published('f').includes(2));
      expect(new Set(published('f'))).toEqual(new Set([1, 2])); // the lane still named the first: it may come twice
    }, 120_000);

    test('a broker that does not answer: commands go on, nobody takes the slot, and all is published afterwards', async () => {
      const first = await writer(gate.port);
      await writer(probe.daprPort);
      const holders = async () => (await slots()).map(({ holder }) => holder).filter(Boolean);
      await until(async () => (await holders()).length === 2); // those of the dead are free again
      const before = await holders();
      gate.shut(publishing);
      const end = Date.now() + 3 * DEAD_AFTER;
      let commands = 0;
      while (Date.now() < end) {
        expect(await first.count('h')).toMatchObject({ done: true });
        commands += 1;
        await pause(250);
      }
      expect(await holders()).toEqual(before);
      gate.open();
      await until(() => published('h').includes(commands));
      expect([...new Set(published('h'))]).toEqual(Array.from({ length: commands }, (_, n) => n + 1));
    }, 120_000);

    test('with every lane full a command is refused and nothing of it is written; afterwards all goes on', async () => {
      const first = await writer(gate.port);
      gate.shut(publishing);
      const names: string[] = [];
      let refusal: Awaited<ReturnType<Writer['count']>> | undefined;
      while (!refusal && names.length < 2_000) {
        const group = Array.from({ length: 8 }, (_, n) => `full${names.length + n}`);
        const outcome = await first.count(...group);
        if (outcome.done) names.push(...group);
        else refusal = { ...outcome, id: group[0] as string };
      }
      expect(refusal).toMatchObject({ done: false, fault: 'too many events wait for the broker', retryAfter: 2 });
      expect(await stored(refusal?.id ?? '')).toBe(0);
      expect(names.length).toBeGreaterThanOrEqual(8 * 48);
      gate.open();
      await until(async () => (await first.count('room')).done);
      await until(() => names.every((name) => published(name).length > 0), 30_000);
    }, 120_000);
  });
}
