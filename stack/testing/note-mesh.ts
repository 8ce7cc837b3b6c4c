// The smallest real mesh: one service with its sidecar on the broker and PostgreSQL, in a folder of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../layout.ts';
import { type Mesh, type MeshOptions, startMesh } from '../mesh.ts';
import { deployable } from '../services.ts';

export const noteKeeper = deployable('note-keeper', {
  entry: 'stack/testing/note-keeper.ts',
  components: ['pubsub-notes', 'statestore-note-keeper'],
  databases: ['views_note_keeper'],
});

/** A folder for one test's data; `remove` deletes it. */
export function dataFolder(): { dataDir: string; remove: () => void } {
  const dataDir = mkdtempSync(join(tmpdir(), 'mesh of notes-'));
  return { dataDir, remove: () => rmSync(dataDir, { recursive: true, force: true }) };
}

export function startNoteMesh(options: MeshOptions): Promise<Mesh> {
  return startMesh({
    base: 'free',
    table: [noteKeeper],
    resources: [join(root, 'stack', 'testing', 'components')],
    ...options,
  });
}

/** Saves a note through both sidecar and service. */
export async function saveNote(mesh: Mesh, text: string): Promise<number> {
  const init = { method: 'PUT', body: JSON.stringify(text), headers: { 'dapr-app-id': 'note-keeper' } };
  return (await mesh.sidecar('note-keeper', '/note', init)).status;
}

export async function readNote(mesh: Mesh): Promise<unknown> {
  const answer = await mesh.sidecar('note-keeper', '/note', { headers: { 'dapr-app-id': 'note-keeper' } });
  return JSON.parse((await answer.json()) as string);
}
