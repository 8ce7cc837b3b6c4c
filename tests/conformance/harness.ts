// A real daprd with a real broker and a store, for one test file: started on free ports, gone afterwards.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { Sidecar } from '#kit/dapr/sidecar';
import { freePort } from './ports.ts';
import { type Killable, Process } from './process.ts';
import { programPath } from './programs.ts';
import { configuration, impatientDeliveries, pubsubs } from './resources.ts';
import { kfake } from './sets/kfake.ts';
import type { Broker, Store } from './sets/set.ts';
import { sqlite } from './sets/sqlite.ts';

jest.setTimeout(60_000); // longer than the patience of `until`, whose message says what did not happen

export interface Bench {
  readonly folder: string;
  readonly brokerPort: number;
  /** Starts an app with a sidecar; the app listens first, as daprd expects. */
  app(options: AppOptions): Promise<App>;
  readonly broker: Killable;
  /** The process that keeps the state; undefined: each app's sidecar does. */
  readonly storeServer: Killable | undefined;
  stop(): Promise<void>;
}

export interface AppOptions {
  readonly appId: string;
  readonly handler?: RequestListener;
  /** Further Dapr resources, one YAML text each, beside the default set. */
  readonly resources?: readonly string[];
  /** Name of its consumer groups; the app-id unless told. A new one hears every topic from the start. */
  readonly group?: string;
  /** Sent by the sidecar to the app as `dapr-api-token`. */
  readonly appToken?: string;
  /** Wanted by the sidecar from the app as `dapr-api-token`. */
  readonly token?: string;
}

export interface App {
  readonly sidecar: Sidecar;
  readonly daprPort: number;
  readonly port: number;
  readonly daprd: Killable;
  /** Ends the app's server with all its connections, as a kill would... */
  vanish(): Promise<void>;
  /** ...and brings it back on the same port. */
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

export interface BenchOptions {
  /** Behind the component `statestore`; SQLite unless told. */
  readonly store?: Store;
  /** Behind the pub/sub components; kfake unless told, false: none. */
  readonly broker?: Broker | false;
  /** Topics beside those of the catalogue. */
  readonly topics?: readonly string[];
}

/** Starts broker and store. The default resources of an app: `statestore` and the classes of pub/sub component. */
export async function startBench(options: BenchOptions = {}): Promise<Bench> {
  const { store: storeOf = sqlite, broker: brokerOf = kfake, topics = [] } = options;
  programPath('daprd'); // before anything is made that would have to be cleaned up
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  const brokerPort = await freePort();
  const allTopics = ['orders.dead.probe', ...topics];
  const broker = brokerOf ? await brokerOf.open({ folder, port: brokerPort, topics: allTopics }) : nobody;
  const store = await broker
    .start()
    .then(() => storeOf.open(folder))
    .catch(async (error) => {
      await broker.kill();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    });
  const apps = new Set<App>();

  async function app(options: AppOptions): Promise<App> {
    const { appId, handler, resources = [], group = appId, appToken, token } = options;
    const server = createServer(handler ?? ((_, response) => response.writeHead(404).end()));
    const port = await freePort();
    await listen(server, port);
    const [daprPort, grpc, internal, metrics] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const home = mkdtempSync(join(folder, `${appId}-`));
    const yaml = join(home, 'resources');
    mkdirSync(yaml);
    const broking = brokerOf ? [...pubsubs(brokerPort, group), impatientDeliveries()] : [];
    const all = [...broking, ...store.resources(appId), ...resources];
    for (const [index, text] of all.entries()) writeFileSync(join(yaml, `${index}.yaml`), text);
    const config = join(home, 'config.yaml');
    writeFileSync(config, configuration(folder));
    const flags: Record<string, string | number> = {
      'app-id': appId,
      'app-port': port,
      'resources-path': yaml,
      config,
      'dapr-http-port': daprPort,
      'dapr-grpc-port': grpc,
      'dapr-internal-grpc-port': internal,
      'metrics-port': metrics,
      'metrics-listen-address': '127.0.0.1',
      'dapr-listen-addresses': '127.0.0.1',
      'dapr-internal-grpc-listen-address': '127.0.0.1',
      'placement-host-address': '',
      'scheduler-host-address': '',
      'log-level': 'warn',
    };
    const sidecar = new Sidecar({ port: daprPort, token });
    const daprd = new Process({
      file: programPath('daprd'),
      args: Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
      env: {
        DAPR_HOST_IP: '127.0.0.1',
        ...store.env,
        ...(appToken && { APP_API_TOKEN: appToken }),
        ...(token && { DAPR_API_TOKEN: token }),
      },
      isReady: () => sidecar.ready(),
    });
    const started: App = {
      sidecar,
      daprPort,
      port,
      daprd,
      vanish: () => close(server),
      comeBack: () => listen(server, port),
      async stop() {
        apps.delete(started);
        await daprd.kill('SIGTERM');
        await sidecar.close();
        if (server.listening) await close(server);
      },
    };
    apps.add(started); // before it runs: what half started is stopped too
    await daprd.start();
    return started;
  }

  return {
    folder,
    brokerPort,
    app,
    broker,
    storeServer: store.server,
    async stop() {
      try {
        await Promise.all([...apps].map((each) => each.stop()));
      } finally {
        await Promise.all([broker.kill(), store.stop()]);
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Where a bench has no broker. */
const nobody: Killable = { alive: false, output: '', start: async () => undefined, kill: async () => undefined };

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
