// One short seed of everything: the mesh with a runner of its own, mixed orders, six faults, every check.
import { expect, jest, test } from '@jest/globals';
import { planSeed } from './plan.ts';
import { describeSeed } from './report.ts';
import { runSeed } from './seed.ts';

jest.setTimeout(300_000);

/** Dropped deliveries, PostgreSQL killed while every view is rebuilt, frozen later, the death of a sidecar, new starts. */
const SEED = 56;

test('a storm of faults leaves nothing lost, nothing done twice and nothing stuck', async () => {
  const report = await runSeed(planSeed(SEED, { minutes: 0.6 }));
  if (report.findings.length > 0) console.error(describeSeed(report));
  expect(report.findings).toEqual([]);
  expect(report.disturbances.length).toBeGreaterThanOrEqual(6);
  expect(report.outcomes.confirmed).toBeGreaterThan(50);
});
