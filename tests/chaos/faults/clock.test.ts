import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Clocks, clockOff } from './clock.ts';
import { PROBE, type ProbeMesh, startProbeMesh } from './testing/probe-mesh.ts';

jest.setTimeout(30_000);

const clocks = new Clocks([PROBE]);
let world: ProbeMesh;
beforeAll(async () => {
  world = await startProbeMesh({ env: clocks.env });
});
afterAll(async () => {
  await world.close();
  clocks.close();
});

/** Whole minutes that the service is ahead of us, by both ways of asking for the time. */
async function minutesAhead(): Promise<number[]> {
  const { now, made, fixed } = await world.ask<{ now: number; made: number; fixed: number }>('/clock');
  expect(fixed).toBe(0); // a date that was given is not moved
  return [now, made].map((time) => Math.round((time - Date.now()) / 60_000) + 0);
}

test('a clock is right until it is struck, and when it is healed', async () => {
  expect(await minutesAhead()).toEqual([0, 0]);
  const fast = clockOff({ clocks, appId: PROBE, minutes: 10 });
  await fast.strike(world);
  expect(await minutesAhead()).toEqual([10, 10]);
  await fast.heal(world);
  expect(await minutesAhead()).toEqual([0, 0]);
});

test('a process that dies meanwhile comes back with the wrong time, and is put right', async () => {
  const slow = clockOff({ clocks, appId: PROBE, minutes: -10 });
  await slow.strike(world);
  await world.mesh.process(PROBE).kill();
  await world.mesh.process(PROBE).waitReady();
  expect(await minutesAhead()).toEqual([-10, -10]);
  await slow.heal(world);
  expect(await minutesAhead()).toEqual([0, 0]);
});
