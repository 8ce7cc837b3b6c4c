// Real processes: the runner with Apache Kafka and the DynamoDB emulator. Left out where they are not installed.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { findTool } from './bootstrap/tools-folder.mjs';
import { scanTable } from './dynoxide.ts';
import { root } from './layout.ts';
import type { Mesh } from './mesh.ts';
import { dataFolder, readNote, saveNote, startNoteMesh } from './testing/note-mesh.ts';

jest.setTimeout(120_000);

const isInstalled = findTool('kafka') !== undefined && findTool('dynoxide') !== undefined;
if (!isInstalled)
  console.warn('left out: `node stack/start.mjs --prepare --profile cloud` installs Kafka and dynoxide');

(isInstalled ? describe : describe.skip)('a mesh on Kafka and DynamoDB', () => {
  const { dataDir, remove } = dataFolder();
  const start = (options = {}) =>
    startNoteMesh({ dataDir, resources: [join(root, 'stack', 'testing', 'cloud')], topics: ['notes'], ...options });
  let mesh: Mesh;
  beforeAll(async () => {
    mesh = await start();
  });
  afterAll(async () => {
    await mesh?.stop();
    remove();
  });

  const publish = async (note: string) =>
    (await mesh.sidecar('note-keeper', '/v1.0/publish/pubsub-notes/notes', { method: 'POST', body: note })).status;

  test('starts these two, and neither kfake nor SQLite', async () => {
    expect(mesh.processes.map(({ name }) => name).sort()).toEqual(
      ['broker', 'dynamodb', 'note-keeper', 'note-keeper-dapr', 'postgres'].sort(),
    );
    const { components } = (await (await mesh.sidecar('note-keeper', '/v1.0/metadata')).json()) as {
      components: { type: string }[];
    };
    expect(components.map(({ type }) => type).sort()).toEqual(['pubsub.kafka', 'state.aws.dynamodb']);
  });

  test('keeps documents in the table of the service', async () => {
    expect(await saveNote(mesh, 'milk')).toBe(204);
    const endpoint = `http://127.0.0.1:${mesh.ports.dynamodb}`;
    const [document] = await scanTable(endpoint, 'note-keeper');
    expect(document?.key).toContain('note');
    expect(JSON.parse(document?.text ?? '')).toContain('milk');
  });

  test('has the topics that were named, and no other', async () => {
    expect(await publish('"bread"')).toBe(204);
    const unknown = await mesh.sidecar('note-keeper', '/v1.0/publish/pubsub-notes/misspelt', {
      method: 'POST',
      body: '"bread"',
    });
    expect(unknown.status).toBe(500);
  });

  test.each(['dynamodb', 'broker'])('%s comes back after kill -9 with what it kept', async (name) => {
    const handle = mesh.process(name);
    const { restarts } = handle;
    await handle.kill('SIGKILL');
    await handle.waitReady(60_000);
    expect(handle.restarts).toBe(restarts + 1);
    expect(await readNote(mesh)).toBe('milk');
  });

  test('data survives the mesh', async () => {
    await mesh.stop();
    mesh = await start();
    expect(await readNote(mesh)).toBe('milk');
  });
});
