// A real daprd with a real broker and a store, for one test file: started on free ports, gone afterwards.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, createServer as createPort } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Sidecar } from '#kit/dapr/sidecar';
import { topicNames } from '#kit/events/catalogue';
import { findBinaries } from './binaries.ts';

export interface Bench {
  readonly folder: string;
  readonly brokerPort: number;
  /** Starts an app with a sidecar; the app listens first, as daprd expects. */
  app(options: AppOptions): Promise<App>;
  broker: Killable;
  stop(): Promise<void>;
}

export interface AppOptions {
  readonly appId: string;
  readonly handler?: RequestListener;
  /** Further Dapr resources, one YAML text each, beside the default set. */
  readonly resources?: readonly string[];
}

export interface App {
  readonly sidecar: Sidecar;
  readonly daprPort: number;
  readonly daprd: Killable;
  stop(): Promise<void>;
}

/** A process that a test may end and start again. */
export interface Killable {
  kill(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

/** Starts the broker. The default resources of an app: `statestore` (SQLite, own file), the pub/sub classes. */
export async function startBench(): Promise<Bench> {
  const { daprd, kfake } = await findBinaries();
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  const brokerPort = await freePort();
  const topics = [...topicNames(), 'orders.dead.probe'].join(',');
  const brokerArgs = ['-port', String(brokerPort), '-data-dir', join(folder, 'kfake'), '-topics', topics];
  const broker = new Process(kfake, brokerArgs, {}, () => reachable(brokerPort));
  await broker.start();
  const apps: App[] = [];

  async function app({ appId, handler, resources = [] }: AppOptions): Promise<App> {
    const server = createServer(handler ?? ((_, response) => response.writeHead(404).end()));
    const appPort = await listen(server);
    const [daprPort, grpc, internal, metrics] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const home = mkdtempSync(join(folder, `${appId}-`));
    const yaml = join(home, 'resources');
    mkdirSync(yaml);
    const all = [...defaults(folder, appId, brokerPort), ...resources];
    for (const [index, text] of all.entries()) writeFileSync(join(yaml, `${index}.yaml`), text);
    writeFileSync(join(home, 'config.yaml'), configuration(folder));
    const args = [
      ...[
        '--app-id',
        appId,
        '--app-port',
        String(appPort),
        '--resources-path',
        yaml,
        '--config',
        join(home, 'config.yaml'),
      ],
      ...[
        '--dapr-http-port',
        String(daprPort),
        '--dapr-grpc-port',
        String(grpc),
        '--dapr-internal-grpc-port',
        String(internal),
      ],
      ...['--metrics-port', String(metrics), '--metrics-listen-address', '127.0.0.1'],
      ...['--dapr-listen-addresses', '127.0.0.1', '--dapr-internal-grpc-listen-address', '127.0.0.1'],
      ...['--placement-host-address', '', '--scheduler-host-address', '', '--log-level', 'warn'],
    ];
    const sidecar = new Sidecar({ port: daprPort });
    const process = new Process(daprd, args, { DAPR_HOST_IP: '127.0.0.1' }, () => sidecar.ready());
    await process.start();
    const started: App = {
      sidecar,
      daprPort,
      daprd: process,
      async stop() {
        await process.kill('SIGTERM');
        await sidecar.close();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
    apps.push(started);
    return started;
  }

  return {
    folder,
    brokerPort,
    app,
    broker,
    async stop() {
      await Promise.all(apps.map((each) => each.stop()));
      await broker.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

class Process implements Killable {
  readonly #file: string;
  readonly #args: readonly string[];
  readonly #env: Record<string, string>;
  readonly #ready: () => Promise<boolean>;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(file: string, args: readonly string[], env: Record<string, string>, ready: () => Promise<boolean>) {
    this.#file = file;
    this.#args = args;
    this.#env = env;
    this.#ready = ready;
  }

  async start(): Promise<void> {
    const env = { PATH: process.env['PATH'] ?? '', HOME: homedir(), ...this.#env };
    const child = spawn(this.#file, this.#args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-8_000);
      });
    }
    const deadline = Date.now() + 15_000;
    while (!(await this.#ready())) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`${this.#file} did not start:\n${this.#output}`);
      await pause(20);
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 8_000);
    await gone;
    clearTimeout(late);
  }
}

function defaults(folder: string, appId: string, brokerPort: number): string[] {
  const pubsubs = ['saga', 'views', 'effects', 'dead'].map((name) =>
    component(`pubsub-${name}`, 'pubsub.kafka', {
      brokers: `127.0.0.1:${brokerPort}`,
      authType: 'none',
      disableTls: 'true',
      consumerGroup: `{appID}-${name}`,
      initialOffset: 'oldest',
      version: '3.9.0',
      sessionTimeout: '6s',
      heartbeatInterval: '1s',
    }),
  );
  const store = component('statestore', 'state.sqlite', {
    connectionString: `file:${join(folder, `${appId}.db`)}`,
    busyTimeout: '10s',
    keyPrefix: 'none',
  });
  const patience = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: patience }
spec:
  policies:
    retries:
      forever: { policy: exponential, initialInterval: 50ms, maxInterval: 5s, maxRetries: -1 }
  targets:
    components:
      pubsub-saga: { inbound: { retry: forever } }
      pubsub-views: { inbound: { retry: forever } }
      pubsub-effects: { inbound: { retry: forever } }
`;
  return [...pubsubs, store, patience];
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

function configuration(folder: string): string {
  return JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Configuration',
    metadata: { name: 'conformance' },
    spec: {
      nameResolution: {
        component: 'sqlite',
        version: 'v1',
        configuration: { connectionString: join(folder, 'names.db') },
      },
      metric: { enabled: true },
    },
  });
}

async function listen(server: Server): Promise<number> {
  const port = await freePort();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return port;
}

const taken = new Set<number>();

/** A free port below 32768, where Linux does not take ports for outgoing connections. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 22_000 + Math.floor(Math.random() * 8_000);
    if (taken.has(port)) continue;
    const free = await new Promise<boolean>((resolve) => {
      const probe = createPort().once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (!free) continue;
    taken.add(port);
    return port;
  }
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('connect', () => socket.destroy()).on('error', () => resolve(false));
  });
}
