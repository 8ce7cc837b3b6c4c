import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { eventually } from '../../client/eventually.ts';
import { allowHotReload, cutShort, settingsEdited, withMetadata } from './settings.ts';
import { PROBE, type ProbeMesh, startProbeMesh } from './testing/probe-mesh.ts';

jest.setTimeout(30_000);

let world: ProbeMesh;
beforeAll(async () => {
  world = await startProbeMesh({ onStart: allowHotReload });
  await world.keep('milk', 'bought');
});
afterAll(() => world.close());

const file = 'component-statestore-note-keeper.yaml';
const text = () => readFileSync(join(world.mesh.dataDir, 'run', PROBE, 'resources', file), 'utf8');
/** With it the store looks for everything under another name. */
const edit = withMetadata('keyPrefix', 'appid');

test.each(['restart', 'live'] as const)('an edit takes effect (%s) and is taken back', async (apply) => {
  const before = text();
  const fault = settingsEdited({ appId: PROBE, file, edit, what: 'another key prefix', apply });
  await fault.strike(world);
  await eventually(async () => (await world.note('milk')) === '', { within: 15_000 });
  await fault.heal(world);
  expect(text()).toBe(before);
  expect(JSON.parse(await world.note('milk'))).toBe('bought');
});

test('with a broken file the sidecar does not run at all, rather than without the store, until the file is whole again', async () => {
  const before = text();
  const fault = settingsEdited({ appId: PROBE, file, edit: cutShort, what: 'half a file', apply: 'restart' });
  await fault.strike(world);
  const sidecar = world.mesh.process(`${PROBE}-dapr`);
  const starts = sidecar.restarts;
  await eventually(async () => sidecar.restarts > starts, { within: 15_000 }); // it ends by itself, and is started again
  expect(sidecar.state).not.toBe('ready');
  await fault.heal(world);
  expect(text()).toBe(before);
  expect(JSON.parse(await world.note('milk'))).toBe('bought');
});

test('an edit that changes nothing is an error, not a fault that never was', async () => {
  const fault = settingsEdited({ appId: PROBE, file, edit: (same) => same, what: 'nothing', apply: 'live' });
  await expect(fault.strike(world)).rejects.toThrow(/the same after the edit/);
  await fault.heal(world);
});
