// The smallest mesh that a fault can be tried on: one service, its sidecar, a SQLite store and the broker.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../../../stack/layout.ts';
import { type MeshOptions, startMesh } from '../../../../stack/mesh.ts';
import { deployable } from '../../../../stack/services.ts';
import type { ChaosWorld } from '../../fault.ts';

export interface ProbeMesh extends ChaosWorld {
  /** Asks the service itself, past every proxy. */
  ask<T>(path: string): Promise<T>;
  /** Saves a note through the service; the status of its store, 502 when that gave no answer. */
  keep(key: string, value: string): Promise<number>;
  /** The note as the store has it; empty when there is none. */
  note(key: string): Promise<string>;
  /** Publishes events with these ids, in one call. */
  publish(...ids: string[]): Promise<void>;
  /** Ids of what was delivered, a batch each. */
  delivered(): Promise<string[][]>;
  close(): Promise<void>;
}

export const PROBE = 'note-keeper';

const table = [
  deployable(PROBE, {
    entry: 'tests/chaos/faults/testing/probe.ts',
    components: ['pubsub-notes', 'statestore-note-keeper'],
  }),
];

/** Starts it with data of its own; `options` as the chaos runner would give them for its faults. */
export async function startProbeMesh(options: MeshOptions = {}): Promise<ProbeMesh> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'probe-'));
  const mesh = await startMesh({
    base: 'free',
    table,
    resources: [join(root, 'stack', 'testing', 'components'), join(root, 'tests/chaos/faults/testing/resources')],
    topics: ['notes'],
    ...options,
    dataDir,
  });
  const url = `http://127.0.0.1:${mesh.portsOf(PROBE).app}`;
  const ask = async <T>(path: string) => (await (await fetch(url + path)).json()) as T;
  return {
    mesh,
    random: () => 0.5,
    log: () => {},
    ask,
    keep: async (key, value) => (await fetch(`${url}/notes/${key}`, { method: 'PUT', body: value })).status,
    note: (key) => ask(`/notes/${key}`),
    async publish(...ids) {
      const entries = ids.map((id, index) => ({
        entryId: String(index),
        event: { specversion: '1.0', id, type: 'note.taken', source: 'test', data: { id } },
        contentType: 'application/cloudevents+json',
        metadata: { partitionKey: 'all' },
      }));
      const { status } = await mesh.sidecar(PROBE, '/v1.0/publish/bulk/pubsub-notes/notes', {
        method: 'POST',
        body: JSON.stringify(entries),
        headers: { 'content-type': 'application/json' },
      });
      if (status !== 204) throw new Error(`publish answered ${status}`);
    },
    delivered: () => ask('/delivered'),
    async close() {
      await mesh.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
