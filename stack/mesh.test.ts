// Real processes: the runner against daprd, the broker and PostgreSQL.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { root } from './layout.ts';
import { type Mesh, startMesh } from './mesh.ts';
import { findFreeBase, planPorts } from './ports.ts';
import { accepts } from './probe.ts';
import { processStartTime } from './run-record.ts';
import { deployable } from './services.ts';
import { dataFolder, noteKeeper, readNote, saveNote, startNoteMesh } from './testing/note-mesh.ts';

jest.setTimeout(60_000);

/** Every port that a mesh could have opened. */
async function openPorts({ ports }: Pick<Mesh, 'ports'>): Promise<number[]> {
  const { apps, ...rest } = ports;
  const all = [...Object.values(apps).flatMap((block) => Object.values(block)), ...Object.values(rest)] as number[];
  const open = await Promise.all(all.map((port) => accepts(port)));
  return all.filter((_, index) => open[index]);
}

const alive = (pids: readonly (number | undefined)[]) => pids.filter((pid) => pid && processStartTime(pid));

describe('a mesh', () => {
  const { dataDir, remove } = dataFolder();
  const { dataDir: otherDir, remove: removeOther } = dataFolder();
  let mesh: Mesh;
  beforeAll(async () => {
    mesh = await startNoteMesh({ dataDir });
  });
  afterAll(async () => {
    await mesh.stop();
    remove();
    removeOther();
  });

  test('has a service that saves and reads through its sidecar', async () => {
    expect(await saveNote(mesh, 'milk')).toBe(204);
    expect(await readNote(mesh)).toBe('milk');
  });

  test.each([
    'note-keeper',
    'note-keeper-dapr',
    'broker',
    'postgres',
  ])('%s is started again after kill -9', async (name) => {
    const handle = mesh.process(name);
    const { pid } = handle;
    await handle.kill('SIGKILL');
    await handle.waitReady(20_000);
    expect(handle.pid).not.toBe(pid);
    expect(handle.restarts).toBe(1);
    expect(handle.logs()).toContain('signal SIGKILL');
    expect(await readNote(mesh)).toBe('milk');
  });

  test('a stopped process stays down until it is started', async () => {
    const app = mesh.process('note-keeper');
    await app.stop();
    expect([app.state, app.pid]).toEqual(['stopped', undefined]);
    await app.start();
    await app.waitReady();
    expect(await readNote(mesh)).toBe('milk');
  });

  test('a frozen process answers after it is resumed', async () => {
    const app = mesh.process('note-keeper');
    app.pause();
    const answer = readNote(mesh);
    expect(app.state).toBe('paused');
    app.resume();
    expect(await answer).toBe('milk');
  });

  test('another one runs beside it', async () => {
    const other = await startNoteMesh({ dataDir: otherDir, replicas: { 'note-keeper': 2 } });
    try {
      expect(await saveNote(other, 'bread')).toBe(204);
      expect(await readNote(mesh)).toBe('milk');
      expect(other.process('note-keeper-2').state).toBe('ready');
    } finally {
      await other.stop();
    }
  });

  test('refuses a second runner on its folder, and goes on', async () => {
    await expect(startNoteMesh({ dataDir })).rejects.toThrow(/Another mesh runs on/);
    expect(await readNote(mesh)).toBe('milk');
  });

  test('listens on loopback only, refuses a stranger, and shuts what nobody uses', async () => {
    const { daprHttp, app } = mesh.portsOf('note-keeper');
    const status = async (url: string, init?: RequestInit) => (await fetch(url, init)).status;
    expect(await status(`http://127.0.0.1:${daprHttp}/v1.0/metadata`)).toBe(401);
    expect(await status(`http://127.0.0.1:${app}/note`)).toBe(401);
    expect((await mesh.sidecar('note-keeper', '/v1.0/shutdown', { method: 'POST' })).status).toBe(404);
    expect((await mesh.sidecar('note-keeper', '/v1.0/actors/T/1/state/k')).status).toBe(404);
  });

  test('leaves nothing behind, and keeps the data', async () => {
    const pids = mesh.processes.map(({ pid }) => pid);
    await mesh.stop();
    expect(alive(pids)).toEqual([]);
    expect(await openPorts(mesh)).toEqual([]);
    expect(existsSync(join(dataDir, 'run.json'))).toBe(false);

    mesh = await startNoteMesh({ dataDir });
    expect(await readNote(mesh)).toBe('milk');
    await mesh.stop();

    mesh = await startNoteMesh({ dataDir, fresh: true });
    expect((await mesh.sidecar('note-keeper', '/v1.0/state/statestore-note-keeper/note')).status).toBe(204);
  });
});

describe('a runner that was killed', () => {
  test('is cleaned up by the next start, on the same ports', async () => {
    const { dataDir, remove } = dataFolder();
    const base = await findFreeBase();
    const runner = spawn(process.execPath, [join(root, 'stack/testing/note-runner.ts'), dataDir, String(base)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(runner.stdout, 'data')) as [Buffer];
    const left = JSON.parse(line.toString()) as { name: string; pid: number }[];
    runner.kill('SIGKILL');
    await once(runner, 'exit');
    expect(alive(left.map(({ pid }) => pid))).toHaveLength(left.length);

    const told: string[] = [];
    const mesh = await startNoteMesh({ dataDir, base, log: (text) => told.push(text) });
    try {
      expect(alive(left.map(({ pid }) => pid))).toEqual([]);
      expect(told).toHaveLength(left.length);
      expect(await saveNote(mesh, 'again')).toBe(204);
    } finally {
      await mesh.stop();
      remove();
    }
  });
});

test('a mesh whose data are deleted under it still stops whole', async () => {
  const { dataDir, remove } = dataFolder();
  const mesh = await startNoteMesh({ dataDir });
  const pids = mesh.processes.map(({ pid }) => pid);
  remove();
  await mesh.process('note-keeper').kill(); // it cannot come back: its log has no folder
  await mesh.stop();
  expect(alive(pids)).toEqual([]);
  expect(await openPorts(mesh)).toEqual([]);
});

describe('a start that cannot succeed', () => {
  const { dataDir, remove } = dataFolder();
  afterAll(remove);

  test('names the taken port before anything runs', async () => {
    const base = await findFreeBase();
    const { broker } = planPorts([noteKeeper], base);
    const server = createServer().listen(broker, '127.0.0.1');
    await once(server, 'listening');
    try {
      await expect(startNoteMesh({ dataDir, base })).rejects.toThrow(`Port ${broker} (broker) is taken`);
      expect(readdirSync(dataDir)).not.toContain('run.json');
    } finally {
      server.close();
    }
  });

  test('names the folder that is missing', async () => {
    const table = [deployable('nobody'), noteKeeper];
    await expect(startNoteMesh({ dataDir, table })).rejects.toMatchObject({
      message: 'Not written yet: services/nobody/main.ts.',
      remedy: expect.stringContaining('--only note-keeper'),
    });
  });

  test('names services that do not exist', async () => {
    await expect(startMesh({ dataDir, only: ['ordr'] })).rejects.toThrow('There is no service "ordr".');
  });

  test("shows the end of a dying service's log, and leaves nothing running", async () => {
    const table = [deployable('broken', { entry: 'stack/testing/broken.ts' })];
    const base = await findFreeBase();
    await expect(startNoteMesh({ dataDir, table, base })).rejects.toThrow(
      /broken does not start \(exit code 1\)[\s\S]*the reason/,
    );
    expect(await openPorts({ ports: planPorts(table, base) })).toEqual([]);
  });

  test('names a folder that cannot be written', async () => {
    const file = join(root, 'package.json');
    await expect(startNoteMesh({ dataDir: join(file, 'data') })).rejects.toMatchObject({
      message: expect.stringContaining(`${file}/data cannot be written`),
      remedy: expect.stringContaining('--data'),
    });
  });
});
