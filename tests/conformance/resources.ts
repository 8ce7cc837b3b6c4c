// Dapr resources for a test's sidecar: the repository's own local components, under the names and for the apps of the test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../../stack/layout.ts';
import { fillIn, type Values } from '../../stack/values.ts';

interface Manifest {
  readonly metadata: { name: string };
  readonly spec: { metadata: { name: string; value?: string }[] };
  scopes?: string[];
}

interface Changes {
  /** Folder below `components`; `local` unless told. */
  readonly profile?: string;
  readonly name?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** A component of the repository, filled in, open to every app. With `name` under another name, with `settings` changed. */
export function repositoryComponent(file: string, values: Values, changes: Changes = {}): string {
  const path = join(root, 'components', changes.profile ?? 'local', `${file}.yaml`);
  const manifest = parse(fillIn(readFileSync(path, 'utf8'), values, path)) as Manifest;
  delete manifest.scopes;
  if (changes.name !== undefined) manifest.metadata.name = changes.name;
  for (const setting of manifest.spec.metadata) {
    const changed = changes.settings?.[setting.name];
    if (changed !== undefined) setting.value = changed;
  }
  return JSON.stringify(manifest);
}

/** The four classes of pub/sub component. `group` takes the place of the app-id in the consumer groups' names. */
export function pubsubs(brokerPort: number, group: string): string[] {
  return ['saga', 'views', 'effects', 'dead'].map((name) =>
    repositoryComponent(
      `pubsub-${name}`,
      { BROKER_PORT: String(brokerPort) },
      { settings: { consumerGroup: `${group}-${name}` } },
    ),
  );
}

/** The services' store, `state.sqlite`, as component `statestore`. */
export function sqliteStore(folder: string, appId: string): string {
  const settings = { connectionString: `file:${join(folder, `${appId}.db`)}` };
  return repositoryComponent('statestore-order', { DATA_URI: folder }, { name: 'statestore', settings });
}

/** What `dapr/resiliency/pubsub.yaml` says, at a test's pace. */
export function impatientDeliveries(): string {
  const path = join(root, 'dapr', 'resiliency', 'pubsub.yaml');
  const manifest = parse(readFileSync(path, 'utf8')) as {
    scopes?: string[];
    spec: { policies: { retries: Record<string, { duration: string }> } };
  };
  delete manifest.scopes;
  for (const retry of Object.values(manifest.spec.policies.retries)) retry.duration = '50ms';
  return JSON.stringify(manifest);
}

/** A Component as YAML (JSON is YAML). */
export function component(name: string, type: string, metadata: Record<string, string>): string {
  return JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: { name },
    spec: { type, version: 'v1', metadata: Object.entries(metadata).map(([key, value]) => ({ name: key, value })) },
  });
}

/** A Resiliency as YAML. */
export function resiliency(name: string, spec: { policies: object; targets: object }): string {
  return JSON.stringify({ apiVersion: 'dapr.io/v1alpha1', kind: 'Resiliency', metadata: { name }, spec });
}

/** Metrics and a name resolution that all sidecars of a bench share. */
export function configuration(folder: string): string {
  const connectionString = join(folder, 'names.db');
  return JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Configuration',
    metadata: { name: 'conformance' },
    spec: {
      nameResolution: { component: 'sqlite', version: 'v1', configuration: { connectionString } },
      metric: { enabled: true },
    },
  });
}
