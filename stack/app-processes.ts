// A service and its sidecar as processes.
import { join } from 'node:path';
import type { AppPorts } from './ports.ts';
import { answers } from './probe.ts';
import type { Secrets } from './secrets.ts';
import type { Deployable } from './services.ts';
import type { ProcessSpec } from './supervised.ts';
import { fillIn, type Values } from './values.ts';

interface Options {
  readonly service: Deployable;
  /** `order`, or `order-2` for its second replica. */
  readonly name: string;
  readonly ports: AppPorts;
  /** The two meet by a third, see `MeshOptions.interpose`. */
  readonly isInterposed: boolean;
  readonly secrets: Secrets;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
}

/** About 50 MiB instead of 55 each; half of that semi-space would save 2 more, and cost a tenth of the CPU in collections. */
const nodeFlags = ['--max-semi-space-size=4', '--max-old-space-size=128'];

/** One malloc arena: with glibc's own for each thread, the 19 MiB of a password hash stay with every thread (auth: 127 MiB). */
const oneArena = { MALLOC_ARENA_MAX: '1' };

/** What a service finds in its environment, besides settings of its own. */
function appEnvironment({ service, ports, isInterposed, secrets }: Options, values: Values): Record<string, string> {
  const own = Object.entries(service.env).map(([name, value]) => [
    name,
    fillIn(value, values, `${name} of ${service.appId}`),
  ]);
  return {
    APP_ID: service.appId,
    APP_PORT: String(ports.app),
    DAPR_HTTP_PORT: String(isInterposed ? ports.toSidecar : ports.daprHttp),
    DAPR_API_TOKEN: String(secrets[`dapr-api-token-${service.appId}`]),
    APP_API_TOKEN: String(secrets[`app-api-token-${service.appId}`]),
    ...Object.fromEntries(own),
  };
}

/** The service itself. */
export function appProcess(options: Options, values: Values): ProcessSpec {
  const { service, name, ports, logFile, env } = options;
  return {
    name,
    file: process.execPath,
    args: [...nodeFlags, join(String(values.ROOT), String(service.entry))],
    env: { LOG_LEVEL: 'info', ...oneArena, ...appEnvironment(options, values), ...env },
    logFile,
    stopSignal: 'SIGTERM',
    stopWithinMs: 12_000, // it has promised to drain within 10 s
    isReady: () => answers(`http://127.0.0.1:${ports.app}${service.readyPath}`, 200),
  };
}

/** Its sidecar. */
export function sidecarProcess(
  { service, name, ports, isInterposed, secrets, logFile, env }: Options,
  where: { program: string; resources: string; configuration: string },
  before: () => Promise<void>,
): ProcessSpec {
  const loopback = '127.0.0.1';
  const flags: Record<string, string | number> = {
    'app-id': service.appId,
    'app-port': isInterposed ? ports.toApp : ports.app,
    'app-protocol': service.protocol,
    'dapr-http-port': ports.daprHttp,
    'dapr-grpc-port': ports.daprGrpc,
    'dapr-internal-grpc-port': ports.daprInternal,
    'metrics-port': ports.metrics, // bound even where metrics are off
    'dapr-listen-addresses': loopback,
    'dapr-internal-grpc-listen-address': loopback,
    'metrics-listen-address': loopback,
    'resources-path': where.resources,
    config: where.configuration,
    'placement-host-address': '',
    'scheduler-host-address': '',
    'read-buffer-size': '16Ki', // headers: a token with many permissions does not fit 4 KiB
    'dapr-graceful-shutdown-seconds': 5,
    'log-level': 'warn',
  };
  return {
    name: sidecarOf(name),
    file: where.program,
    args: Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
    env: {
      ...env,
      DAPR_HOST_IP: loopback,
      DAPR_API_TOKEN: String(secrets[`dapr-api-token-${service.appId}`]),
      APP_API_TOKEN: String(secrets[`app-api-token-${service.appId}`]),
      GOGC: '400', // a fifth more orders a second for some 30 MiB each
      GOMAXPROCS: '1', // a tenth less CPU per order: ten sidecars on one machine wake each other's threads in vain
    },
    logFile,
    stopSignal: 'SIGTERM',
    stopWithinMs: 8_000,
    before,
    isReady: () => answers(`http://${loopback}:${ports.daprHttp}/v1.0/healthz/outbound`, 204),
  };
}

/** Name of the sidecar's process. */
export const sidecarOf = (name: string): string => `${name}-dapr`;
