// From the table to processes: what runs, on which ports, with which folders; nothing is started here.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appProcess, sidecarOf, sidecarProcess } from './app-processes.ts';
import { cacheFolder } from './bootstrap/runtime-folder.mjs';
import { findTool, type Provider, type Tool } from './bootstrap/tools-folder.mjs';
import { brokerProcess } from './broker.ts';
import { dynoxideProcess, emulatorCredentials, provisionTables } from './dynoxide.ts';
import { StackError } from './errors.ts';
import { groundOf, standsOn, tablesOf } from './ground.ts';
import { kafkaProcess } from './kafka.ts';
import type { Layout } from './layout.ts';
import type { AppPorts, PortPlan } from './ports.ts';
import { externalServer, ownServer, type PostgresAdmin, postgresProcess, provision } from './postgres.ts';
import { accepts } from './probe.ts';
import { redisProcess } from './redis.ts';
import { configurationOf, type Resource, renderConfiguration, renderSidecar } from './render.ts';
import type { Secrets } from './secrets.ts';
import type { Deployable } from './services.ts';
import { cardProviderProcess, mailProcess } from './stand-ins.ts';
import type { ProcessSpec } from './supervised.ts';
import { placeholders, type Values } from './values.ts';

export interface PlanOptions {
  readonly folders: Layout;
  readonly base: number;
  readonly ports: PortPlan;
  readonly secrets: Secrets;
  readonly selected: readonly Deployable[];
  readonly replicas: Readonly<Record<string, number>>;
  readonly env: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly topics: readonly string[];
  readonly interpose: readonly string[];
  readonly resources: readonly Resource[];
  readonly configuration: string;
  /** Joins a mesh that runs on these folders: its names and its configuration are left as they are. */
  readonly joining?: boolean;
  /** More to fill in. */
  readonly values?: Values;
  readonly programs: { readonly daprd: string; readonly kfake: string };
}

export interface Plan {
  readonly infrastructure: readonly ProcessSpec[];
  readonly sidecars: readonly ProcessSpec[];
  readonly apps: readonly ProcessSpec[];
  /** Makes the databases and tables that have to be there before the sidecars start. */
  provision(): Promise<void>;
  /** Every port that will be listened on, and by whom. */
  readonly listeners: ReadonlyMap<number, string>;
  /** `order-2` -> `order`. */
  appIdOf(name: string): string;
}

/** How long a restarted sidecar waits for what it stands on before it tries all the same. */
const GROUND_PATIENCE_MS = 15_000;

export function buildPlan(options: PlanOptions): Plan {
  const { folders, base, ports, secrets, selected, replicas, interpose, resources, programs } = options;
  const external = externalServer();
  const postgres = external ?? ownServer(ports.postgres, secrets);
  const values = { ...placeholders(folders, ports, base, postgres), ...options.values };
  const configuration = options.joining ? configurationOf(values) : renderConfiguration(options.configuration, values);
  const env = childEnvironment();
  const logFile = (name: string) => join(folders.logs, `${name}.log`);
  const ground = groundOf(selected, resources);
  const { processes, listeners, waitFor } = groundProcesses(options, ground, { values, postgres, external, env });

  const sidecars: ProcessSpec[] = [];
  const apps: ProcessSpec[] = [];
  const appIds = new Map<string, string>();
  for (const service of selected) {
    const folder = renderSidecar(service, resources, values, secrets);
    const where = { program: programs.daprd, resources: folder, configuration };
    for (const name of replicaNames(service.appId, replicas[service.appId])) {
      const own = ports.apps[name] as AppPorts;
      const isInterposed = interpose.includes(service.appId);
      const shared = { service, name, ports: own, isInterposed, secrets };
      appIds.set(name, service.appId);
      const { toApp: _, toSidecar: __, ...listened } = own; // whoever stands between listens there already
      for (const [use, port] of Object.entries(listened)) listeners.set(port, `${name}, ${use}`);
      const before = () => untilAccepted(standsOn(service, resources).length > 0 ? waitFor : []);
      const ofSidecar = ground.has('dynoxide') ? { ...env, ...emulatorCredentials } : env;
      sidecars.push(sidecarProcess({ ...shared, logFile: logFile(sidecarOf(name)), env: ofSidecar }, where, before));
      if (service.entry === null) continue;
      const settings = { ...env, ...options.env[service.appId] };
      apps.push(appProcess({ ...shared, logFile: logFile(name), env: settings }, values));
    }
  }
  const appIdOf = (name: string) => appIds.get(name) ?? name;
  const databases = selected.flatMap((service) => service.databases);
  const tables = tablesOf(selected, resources);
  const provisionAll = async () => {
    if (databases.length > 0) await provision(postgres, databases, secrets);
    if (ground.has('dynoxide')) await provisionTables(String(values.DYNAMODB_ENDPOINT), tables);
  };
  return { infrastructure: processes, sidecars, apps, listeners, provision: provisionAll, appIdOf };
}

interface Surroundings {
  readonly values: Values;
  readonly postgres: PostgresAdmin;
  readonly external: PostgresAdmin | undefined;
  readonly env: Record<string, string>;
}

interface Ground {
  readonly processes: readonly ProcessSpec[];
  readonly listeners: Map<number, string>;
  /** Ports that a sidecar waits for before it starts. */
  readonly waitFor: readonly number[];
}

/** Broker, databases and stand-ins, as far as somebody asks for them. */
function groundProcesses(
  { folders, ports, secrets, selected, replicas, programs, topics }: PlanOptions,
  ground: ReadonlySet<Provider>,
  { values, postgres, external, env }: Surroundings,
): Ground {
  const processes: ProcessSpec[] = [];
  const waitFor: number[] = [];
  const listeners = new Map<number, string>();
  const shared = (name: string) => ({ dataDir: folders.data, logFile: join(folders.logs, `${name}.log`), env });
  const add = (spec: ProcessSpec, ...own: number[]) => {
    processes.push(spec);
    for (const port of own) listeners.set(port, spec.name);
  };
  const partitions = Math.max(1, ...Object.values(replicas));
  const broking = { ...shared('broker'), port: ports.broker, moreTopics: topics, partitions };
  if (ground.has('kfake')) add(brokerProcess({ ...broking, program: programs.kfake }), ports.broker);
  if (ground.has('kafka')) {
    const { kafkaController: controllerPort } = ports;
    const kafka = { program: tool('kafka'), kfake: programs.kfake, controllerPort };
    add(kafkaProcess({ ...broking, ...kafka }), ports.broker, controllerPort);
  }
  if (ground.has('kfake') || ground.has('kafka')) waitFor.push(ports.broker);
  if (ground.has('postgres') && !external) {
    waitFor.push(ports.postgres);
    const components = selected.reduce(
      (sum, { appId, databases: own }) => sum + own.length * (replicas[appId] ?? 1),
      0,
    );
    add(postgresProcess({ ...shared('postgres'), admin: postgres, components }), ports.postgres);
  }
  if (ground.has('dynoxide')) {
    waitFor.push(ports.dynamodb);
    add(dynoxideProcess({ ...shared('dynamodb'), program: tool('dynoxide'), port: ports.dynamodb }), ports.dynamodb);
  }
  const redis = ground.has('redis-server') ? findTool('redis-server') : undefined; // a mesh does without its cache
  if (redis) add(redisProcess({ ...shared('cache'), program: redis, port: ports.redis }), ports.redis);
  const standIn = (name: string) => ({ ...shared(name), values, ports, secrets });
  if (ground.has('mail')) add(mailProcess(standIn('mail')), ports.smtp, ports.mailWeb);
  if (ground.has('card-provider')) add(cardProviderProcess(standIn('card-provider')), ports.cardProvider);
  return { processes, listeners, waitFor };
}

/** @throws StackError while it is not installed, with the command that installs it. */
function tool(name: Tool): string {
  const path = findTool(name);
  if (path !== undefined) return path;
  throw new StackError(
    `The components of this profile need ${name}, which is not installed.`,
    'Run `node stack/start.mjs --prepare --profile <name>` once (npm start does it by itself).',
  );
}

function replicaNames(appId: string, count = 1): string[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? appId : `${appId}-${index + 1}`));
}

/** daprd exits within a second when the broker is not there: a restart of both waits here. */
async function untilAccepted(ports: readonly number[]): Promise<void> {
  const deadline = Date.now() + GROUND_PATIENCE_MS;
  for (const port of ports) while (!(await accepts(port)) && Date.now() < deadline) await sleep(100);
}

/** What a child needs of our environment; a test's NODE_OPTIONS or a proxy of the shell are not among it. */
function childEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
  return {
    ...Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    // From the second start on a service takes half the CPU to come up, and 20 MiB less (no type stripper, no sources).
    NODE_COMPILE_CACHE: join(cacheFolder(), 'compiled'),
  };
}
