import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Disks } from '../disks.ts';
import { fullDisk } from './full-disk.ts';
import { PROBE, type ProbeMesh, startProbeMesh } from './testing/probe-mesh.ts';

jest.setTimeout(30_000);

const disks = new Disks([PROBE]);
let world: ProbeMesh;
beforeAll(async () => {
  world = await startProbeMesh({ onStart: (mesh) => disks.open(mesh) });
});
afterAll(async () => {
  await world.close();
  disks.close();
  expect(ownMounts()).toEqual([]);
});

const ownMounts = (pid = process.pid) =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`chaos-disk:${pid}:`));

const text = 'x'.repeat(50_000);

test('a store on a disk of its own refuses to save while that is full, and goes on afterwards', async () => {
  const fault = fullDisk({ disks, disk: PROBE, hits: [`${PROBE}-dapr`] });
  const told: string[] = [];
  expect(await world.keep('before', text)).toBe(204);
  await fault.strike({ ...world, log: (line) => told.push(line) });
  if (disks.missing) {
    expect(told).toEqual([expect.stringContaining('skipped')]);
    expect(await world.keep('during', text)).toBe(204);
    return;
  }
  expect(ownMounts()).toHaveLength(1);
  expect(told).toEqual([expect.stringContaining(' 0 bytes left')]);
  let kept = 0; // what the journal has room for already
  while ((await world.keep(`during-${kept}`, text)) === 204) expect(++kept).toBeLessThan(200);
  expect(JSON.parse(await world.note('before'))).toBe(text);
  await fault.heal(world);
  expect(readdirSync(disks.folder(PROBE))).not.toContain('ballast');
  expect(await world.keep('after', text)).toBe(204);
  expect(await world.note(`during-${kept}`)).toBe('');
});

test('what a killed runner left mounted is unmounted by the next one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'killed-runner-'));
  const program = `
    import { Disks } from ${JSON.stringify(new URL('../disks.ts', import.meta.url).href)};
    new Disks(['order']).open({ dataDir: ${JSON.stringify(folder)} });
    console.log('mounted');
    setInterval(() => {}, 1000);`;
  const runner = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program]);
  await once(runner.stdout, 'data');
  expect(ownMounts(runner.pid)).toHaveLength(disks.missing ? 0 : 1);
  new Disks([]); // it lives: nothing is taken from it
  expect(ownMounts(runner.pid)).toHaveLength(disks.missing ? 0 : 1);
  runner.kill('SIGKILL');
  await once(runner, 'exit');
  new Disks([]);
  expect(ownMounts(runner.pid)).toEqual([]);
  rmSync(folder, { recursive: true });
});
