// From the table to processes: what runs, on which ports, with which folders; nothing is started here.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appProcess, sidecarOf, sidecarProcess } from './app-processes.ts';
import { cacheFolder } from './bootstrap/runtime-folder.mjs';
import { brokerProcess } from './broker.ts';
import type { Layout } from './layout.ts';
import type { AppPorts, PortPlan } from './ports.ts';
import { externalServer, ownServer, type PostgresAdmin, postgresProcess } from './postgres.ts';
import { accepts } from './probe.ts';
import { type Resource, renderConfiguration, renderSidecar, scopedTo } from './render.ts';
import type { Secrets } from './secrets.ts';
import type { Deployable, Infrastructure } from './services.ts';
import { cardProviderProcess, mailProcess } from './stand-ins.ts';
import type { ProcessSpec } from './supervised.ts';
import { placeholders } from './values.ts';

export interface PlanOptions {
  readonly profile: string;
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
  readonly programs: { readonly daprd: string; readonly kfake: string };
}

export interface Plan {
  readonly infrastructure: readonly ProcessSpec[];
  readonly sidecars: readonly ProcessSpec[];
  readonly apps: readonly ProcessSpec[];
  readonly postgres: PostgresAdmin;
  /** Databases to be there before the sidecars start. */
  readonly databases: readonly string[];
  /** Every port that will be listened on, and by whom. */
  readonly listeners: ReadonlyMap<number, string>;
  /** `order-2` -> `order`. */
  appIdOf(name: string): string;
}

export const infrastructureNames: ReadonlySet<string> = new Set<Infrastructure>([
  'broker',
  'postgres',
  'mail',
  'card-provider',
]);

/** How long a restarted sidecar waits for what it stands on before it tries all the same. */
const GROUND_PATIENCE_MS = 15_000;

export function buildPlan(options: PlanOptions): Plan {
  const { profile, folders, base, ports, secrets, selected, replicas, interpose, resources, programs } = options;
  const external = externalServer();
  const postgres = external ?? ownServer(ports.postgres, secrets);
  const values = placeholders(folders, ports, base, postgres);
  const configuration = renderConfiguration(options.configuration, values);
  const env = childEnvironment();
  const logFile = (name: string) => join(folders.logs, `${name}.log`);
  const needs = (what: Infrastructure) => selected.some((service) => service.needs.includes(what));
  const databases = selected.flatMap((service) => service.databases);

  const infrastructure: ProcessSpec[] = [];
  const ground: number[] = [];
  const listeners = new Map<number, string>();
  const add = (spec: ProcessSpec, ...own: number[]) => {
    infrastructure.push(spec);
    for (const port of own) listeners.set(port, spec.name);
  };
  if (needs('broker')) {
    ground.push(ports.broker);
    add(
      brokerProcess({
        ...{ program: programs.kfake, dataDir: folders.data, port: ports.broker, env },
        moreTopics: options.topics,
        partitions: Math.max(1, ...Object.values(replicas)),
        logFile: logFile('broker'),
      }),
      ports.broker,
    );
  }
  if (needs('postgres') && !external) {
    ground.push(ports.postgres);
    const components = selected.reduce(
      (sum, { appId, databases: own }) => sum + own.length * (replicas[appId] ?? 1),
      0,
    );
    add(
      postgresProcess({ dataDir: folders.data, admin: postgres, components, logFile: logFile('postgres'), env }),
      ports.postgres,
    );
  }
  const standIn = (name: string) => ({ values, ports, secrets, logFile: logFile(name), env });
  if (needs('mail')) add(mailProcess(standIn('mail')), ports.smtp, ports.mailWeb);
  if (needs('card-provider')) add(cardProviderProcess(standIn('card-provider')), ports.cardProvider);

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
      for (const [use, port] of Object.entries(own)) listeners.set(port, `${name}, ${use}`);
      const before = () => untilAccepted(standsOnGround(resources, service.appId) ? ground : []);
      sidecars.push(sidecarProcess({ ...shared, logFile: logFile(sidecarOf(name)), env }, where, before));
      if (service.entry === null) continue;
      const settings = { ...env, ...options.env[service.appId] };
      apps.push(appProcess({ ...shared, logFile: logFile(name), env: settings }, values, profile));
    }
  }
  const appIdOf = (name: string) => appIds.get(name) ?? name;
  return { infrastructure, sidecars, apps, postgres, databases, listeners, appIdOf };
}

function replicaNames(appId: string, count = 1): string[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? appId : `${appId}-${index + 1}`));
}

const standsOnGround = (resources: readonly Resource[], appId: string): boolean =>
  scopedTo(resources, appId).some(({ name }) => /^(pubsub|views)-|^statestore-payment$/.test(name));

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
