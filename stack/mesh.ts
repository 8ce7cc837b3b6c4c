// The whole system, or a part of it, as one thing that starts, stops and can be hurt: `npm start` and the tests use it alike.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './bootstrap/runtime-folder.mjs';
import { StackError } from './errors.ts';
import { clearFolder, type Layout, layout, openFolder, RECORD, root } from './layout.ts';
import { buildPlan, type Plan } from './plan.ts';
import { type AppPorts, assertPortsFree, findFreeBase, type PortPlan, planPorts } from './ports.ts';
import { answers } from './probe.ts';
import { readResources, resourceFolders } from './render.ts';
import { RunRecord } from './run-record.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { type Deployable, selectServices, services } from './services.ts';
import { type ProcessHandle, type ProcessSpec, Supervised } from './supervised.ts';

export interface MeshOptions {
  /** First port; `'free'` looks for a range that nobody uses. Default 8000. */
  readonly base?: number | 'free';
  /** App-ids to start; everything when left out. */
  readonly only?: readonly string[];
  /** Folder of the data; default `.data/<profile>`. Tests give one of their own. */
  readonly dataDir?: string;
  readonly profile?: string;
  /** Settings over those of the table, by app-id. */
  readonly env?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** How many of a service; 1 when left out. */
  readonly replicas?: Readonly<Record<string, number>>;
  /** Throws away the data first. */
  readonly fresh?: boolean;
  /** Another table than `services`, for tests with fixtures of their own. */
  readonly table?: readonly Deployable[];
  /** Folders with Dapr resources instead of those of the profile. */
  readonly resources?: readonly string[];
  /** Topics besides those of the catalogue. */
  readonly topics?: readonly string[];
  /**
   * App-ids that somebody stands between and their sidecars, for tests: the caller listens on `toApp` and `toSidecar` of
   * each (from `onStart` on) and passes everything on, both ways. Clients meet the gateway by its `toApp` too.
   */
  readonly interpose?: readonly string[];
  /** Puts the demo data in once everything is up; the gateway is ready after it. */
  readonly seed?: (mesh: Mesh) => Promise<void>;
  /** Handed the mesh before anything runs, so that it can be stopped half-way. */
  readonly onStart?: (mesh: Mesh) => void;
  /** Told about every change of state. */
  readonly onChange?: (processes: readonly ProcessHandle[]) => void;
  /** Told what goes on besides, a line at a time. */
  readonly log?: (line: string) => void;
  readonly readyWithinMs?: number;
}

export interface Mesh {
  /** The gateway's address: what clients use. */
  readonly url: string;
  readonly dataDir: string;
  readonly ports: PortPlan;
  /** Passwords and tokens; see `secrets.ts` for the names. */
  readonly secrets: Secrets;
  readonly processes: readonly ProcessHandle[];
  /** `order`, `order-2` (second replica), `order-dapr` (sidecar), `broker`, `postgres`, `dynamodb`, `cache`, `mail`, `card-provider`. */
  process(name: string): ProcessHandle;
  /** Ports of an app and its sidecar, by process name. */
  portsOf(name: string): AppPorts;
  /** Asks a sidecar, with its token: `sidecar('order', '/v1.0/metadata')`. */
  sidecar(name: string, path: string, init?: RequestInit): Promise<Response>;
  /** Ends everything in order: apps drain, then sidecars, then broker and databases. */
  stop(): Promise<void>;
  /** Ends everything at once, also while a `stop` is under way. */
  hasten(): void;
}

/**
 * Starts a mesh and waits until all of it is ready.
 * @throws StackError naming what is missing or does not start; nothing is left running then.
 */
export async function startMesh(options: MeshOptions = {}): Promise<Mesh> {
  const profile = options.profile ?? 'local';
  const log = options.log ?? (() => {});
  const table = options.table ?? services;
  const selected = selectServices(table, options.only ?? []);
  assertKnown(table, options);
  assertEntries(selected);
  const programs = { daprd: program('daprd'), kfake: program('kfake') };
  const folders = layout(profile, options.dataDir);
  const base = options.base === 'free' ? await findFreeBase() : (options.base ?? 8000);
  const ports = planPorts(table, base, options.replicas);

  openFolder(folders);
  const record = await RunRecord.claim(join(folders.data, RECORD), (name, pid) =>
    log(`ended ${name} (${pid}), left by a runner that was killed`),
  );
  const running: Supervised[] = [];
  const infrastructure: Supervised[] = [];
  const stopping = new AbortController();
  const stop = once(() => {
    stopping.abort(new StackError('The mesh was stopped before it was up.', 'Start it again.'));
    return stopAll(running, infrastructure, record);
  });
  try {
    clearFolder(folders, options.fresh ?? false);
    const secrets = loadSecrets(folders.data, table);
    const plan = buildPlan({
      ...{ folders, base, ports, secrets, selected, programs },
      replicas: options.replicas ?? {},
      env: options.env ?? {},
      topics: options.topics ?? [],
      interpose: options.interpose ?? [],
      resources: readResources(options.resources ?? resourceFolders(root, profile)),
      configuration: join(root, 'dapr', 'configuration.yaml'),
    });
    await assertPortsFree(plan.listeners);
    const changed = () => options.onChange?.(running);
    const supervise = (spec: ProcessSpec) => new Supervised(spec, record, changed);
    infrastructure.push(...plan.infrastructure.map(supervise));
    const door = options.interpose?.includes('gateway') ? Number(ports.apps.gateway?.toApp) : base;
    const mesh = handle({ plan, folders, secrets, ports, door, running, stop });
    running.push(...infrastructure, ...plan.sidecars.map(supervise), ...plan.apps.map(supervise));
    options.onStart?.(mesh);
    changed();

    const startAll = async (processes: readonly Supervised[]) => {
      stopping.signal.throwIfAborted();
      await Promise.all(processes.map((each) => each.start()));
      await Promise.all(processes.map((each) => each.waitReady(options.readyWithinMs)));
    };
    await startAll(infrastructure);
    await plan.provision();
    await startAll(running.slice(infrastructure.length));
    await options.seed?.(mesh);
    stopping.signal.throwIfAborted();
    writeFileSync(join(folders.run, 'seeded'), '');
    if (selected.length === table.length) await untilPublic(mesh, selected);
    return mesh;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The gateway's own `/readyz` speaks for all services, and comes last: after the demo data. */
async function untilPublic({ portsOf }: Mesh, selected: readonly Deployable[]): Promise<void> {
  for (const { appId } of selected.filter(({ readyPath, entry }) => readyPath !== '/readyz' && entry !== null)) {
    const url = `http://127.0.0.1:${portsOf(appId).app}/readyz`;
    const deadline = Date.now() + 20_000;
    while (!(await answers(url, 200))) {
      if (Date.now() > deadline) {
        const body = await fetch(url)
          .then((answer) => answer.text())
          .catch(String);
        throw new StackError(
          `${url} does not say that all is ready: ${body}`,
          'Look into the log of the service it names.',
        );
      }
      await sleep(100);
    }
  }
}

/** Apps first, so that they can drain through their sidecars; what all stand on goes last. */
async function stopAll(
  running: readonly Supervised[],
  ground: readonly Supervised[],
  record: RunRecord,
): Promise<void> {
  const isSidecar = ({ name }: Supervised) => name.endsWith('-dapr');
  const apps = running.filter((each) => !isSidecar(each) && !ground.includes(each));
  for (const layer of [apps, running.filter(isSidecar), ground]) await Promise.all(layer.map((each) => each.stop()));
  record.release();
}

interface Parts {
  readonly folders: Layout;
  readonly plan: Plan;
  readonly secrets: Secrets;
  readonly ports: PortPlan;
  /** Port that clients use. */
  readonly door: number;
  readonly running: readonly Supervised[];
  readonly stop: () => Promise<void>;
}

function handle({ folders, plan, secrets, ports, door, running, stop }: Parts): Mesh {
  const find = (name: string) => {
    const found = running.find((each) => each.name === name);
    if (!found)
      throw new RangeError(`There is no process "${name}", only ${running.map((each) => each.name).join(', ')}.`);
    return found;
  };
  const portsOf = (name: string) => {
    const own = ports.apps[name];
    if (!own) throw new RangeError(`"${name}" has no ports, only ${Object.keys(ports.apps).join(', ')}.`);
    return own;
  };
  const trim = setInterval(() => {
    for (const each of running) each.trimLog();
  }, 30_000).unref();
  return {
    url: `http://127.0.0.1:${door}`,
    dataDir: folders.data,
    ports,
    secrets,
    processes: running,
    process: find,
    portsOf,
    sidecar(name, path, init = {}) {
      const headers = new Headers(init.headers);
      headers.set('dapr-api-token', String(secrets[`dapr-api-token-${plan.appIdOf(name)}`]));
      return fetch(`http://127.0.0.1:${portsOf(name).daprHttp}${path}`, { ...init, headers });
    },
    stop: async () => {
      clearInterval(trim);
      await stop();
    },
    hasten() {
      for (const each of running) each.hasten();
    },
  };
}

function assertKnown(
  table: readonly Deployable[],
  { only = [], replicas = {}, env = {}, interpose = [] }: MeshOptions,
): void {
  const known = table.map(({ appId }) => appId);
  for (const appId of [...only, ...interpose, ...Object.keys(replicas), ...Object.keys(env)]) {
    if (known.includes(appId)) continue;
    throw new StackError(`There is no service "${appId}".`, `The services are ${known.join(', ')}.`);
  }
}

function assertEntries(selected: readonly Deployable[]): void {
  const missing = selected.filter(({ entry }) => entry !== null && !existsSync(join(root, entry)));
  if (missing.length === 0) return;
  const present = selected.filter((each) => !missing.includes(each)).map(({ appId }) => appId);
  throw new StackError(
    `Not written yet: ${missing.map(({ entry }) => entry).join(', ')}.`,
    present.length > 0 ? `Start what is there: --only ${present.join(',')}` : 'There is nothing to start.',
  );
}

function program(name: string): string {
  const file = findProgram(root, name);
  if (file) return file;
  throw new StackError(
    `${name} is not built${process.env.DAPR_BIN ? ` in ${process.env.DAPR_BIN}` : ''}.`,
    'Run `node stack/start.mjs --prepare` once (a few minutes), or name a folder with ready binaries in DAPR_BIN.',
  );
}

function once<T>(action: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= action();
    return result;
  };
}
