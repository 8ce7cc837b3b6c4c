// Somebody edits what a sidecar loaded (a component, a policy) under load, rightly or not, and puts it back.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mesh } from '../../../stack/mesh.ts';
import type { Fault } from '../fault.ts';
import { replicasOf } from '../replicas.ts';

export interface SettingsOptions {
  readonly appId: string;
  /** As the runner rendered it: `component-statestore-order.yaml`, `resiliency-pubsub.yaml`. */
  readonly file: string;
  readonly edit: (text: string) => string;
  /** What is edited, for the report. */
  readonly what: string;
  /**
   * `restart`: rolled out with the sidecars started again; `live`: daprd is to see it by itself, which it does only where
   * hot reload is on (`allowHotReload`). It is put back with a restart in any case: daprd does not say when it has reloaded.
   */
  readonly apply: 'restart' | 'live';
}

/** Edits one resource of a service's sidecars and puts it back as it was. */
export function settingsEdited({ appId, file, edit, what, apply }: SettingsOptions): Fault {
  const originals = new Map<Mesh, string>();
  const sidecars = (mesh: Mesh) => replicasOf(mesh, appId).map((name) => mesh.process(`${name}-dapr`));
  const restart = (mesh: Mesh) =>
    Promise.all(
      sidecars(mesh).map(async (each) => {
        await each.stop();
        await each.start(); // not waited for: with a wrong setting it may never get ready
      }),
    );
  return {
    name: `${what} in ${file} of ${appId}, ${apply === 'live' ? 'live' : 'rolled out'}`,
    hits: [`${appId}-dapr`],
    async strike({ mesh }) {
      const path = join(mesh.dataDir, 'run', appId, 'resources', file);
      const text = readFileSync(path, 'utf8');
      const edited = edit(text);
      if (edited === text) throw new Error(`${file} of ${appId} is the same after the edit "${what}"`);
      originals.set(mesh, text);
      writeFileSync(path, edited);
      if (apply === 'restart') await restart(mesh);
    },
    async heal({ mesh }) {
      const text = originals.get(mesh);
      if (text === undefined) return;
      writeFileSync(join(mesh.dataDir, 'run', appId, 'resources', file), text);
      await restart(mesh);
      await Promise.all(sidecars(mesh).map((each) => each.waitReady()));
      originals.delete(mesh);
    },
  };
}

/** An edit that gives a metadata item of a component another value. */
export const withMetadata =
  (name: string, value: string) =>
  (text: string): string =>
    text.replace(
      new RegExp(`(- name: ${name}\\n\\s+value: ).*`),
      (_, before: string) => before + JSON.stringify(value),
    );

/** An edit that leaves half of a file, as a copy that was cut short does: the sidecar refuses to start with it. */
export const cutShort = (text: string): string => `${text.slice(0, text.length / 2)}\n  - "`;

/** Lets the sidecars of a mesh load what is edited; for `MeshOptions.onStart`, before they run. */
export function allowHotReload({ dataDir }: Pick<Mesh, 'dataDir'>): void {
  const file = join(dataDir, 'run', 'configuration.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/(- name: HotReload\n\s+enabled: )false/, '$1true'));
}
