// The life of a service process: read the settings, listen, serve, and leave without dropping anything.
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type Koa from 'koa';
import type { z } from 'zod';
import { readConfig, ServiceConfig } from '../config.ts';
import { ask } from '../dapr/ask.ts';
import { Sidecar } from '../dapr/sidecar.ts';
import { createLog, type Log } from '../log.ts';
import { createVerifier, type Verifier } from './auth.ts';
import type { Jwks } from './keys.ts';
import { Metrics } from './metrics.ts';
import { problems, typeOf } from './problem.ts';
import type { Revocation } from './revoked.ts';

/** What a service is given to build itself from; `createApp({ ...host, routes })` takes its part of it. */
export interface Host<C extends ServiceConfig = ServiceConfig> {
  readonly name: string;
  readonly config: C;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly sidecar: Sidecar;
  /** Checks tokens with the keys of auth, asked for through the sidecar at the first token. */
  readonly verifier: Verifier;
  readonly appToken: string | undefined;
  /** True from SIGTERM on. */
  readonly draining: () => boolean;
}

export interface Started {
  readonly app: Koa;
  /** Runs after the app listens (the sidecar waits for that). A throw ends the process. */
  readonly begin?: () => Promise<void>;
  /** Runs when the service leaves, after the last request was answered. */
  readonly stop?: () => Promise<void>;
}

export interface ServiceParts<S extends z.ZodObject> {
  readonly name: string;
  /** Settings beside the common ones, as a zod shape over the environment. */
  readonly config?: S;
  /** The gateway has no app token: it is public. */
  readonly open?: boolean;
  /** Bytes of request headers; Node's 16 KiB unless told. */
  readonly maxHeaderSize?: number;
  /** Calls under way to the sidecar at once; 64 unless told. */
  readonly connections?: number;
  readonly start: (host: Host<ServiceConfig & z.output<S>>) => Started | Promise<Started>;
}

/** Requests under way get this long after SIGTERM. */
const DRAIN_MS = 8_000;

/** Runs a service until SIGTERM or SIGINT. A start that fails is one clear line and exit code 1. */
export async function runService<S extends z.ZodObject>(parts: ServiceParts<S>): Promise<void> {
  const bootLog = createLog(parts.name);
  try {
    await run(parts);
  } catch (error) {
    bootLog.fatal({ err: error }, `${parts.name} cannot start: ${(error as Error).message}`);
    process.exit(1);
  }
}

async function run<S extends z.ZodObject>(parts: ServiceParts<S>): Promise<void> {
  const schema = parts.config ? ServiceConfig.extend(parts.config.shape) : ServiceConfig;
  const config = readConfig(schema) as ServiceConfig & z.output<S>;
  const log = createLog(parts.name, config.LOG_LEVEL);
  const { DAPR_HTTP_PORT: port, DAPR_API_TOKEN: token } = config;
  const sidecar = new Sidecar({ port, token, connections: parts.connections ?? 64 });
  let draining = false;

  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    process.on(event, (error) => {
      log.fatal({ err: error }, event);
      process.exit(1);
    });
  }

  const { app, begin, stop } = await parts.start({
    name: parts.name,
    config,
    log,
    metrics: new Metrics(),
    sidecar,
    verifier: createVerifier({
      loadKeys: () => keysOfAuth(sidecar),
      loadRevocations: () => revocationsOfAuth(sidecar),
    }),
    appToken: parts.open ? undefined : config.APP_API_TOKEN,
    draining: () => draining,
  });

  const server = serve(app, parts.maxHeaderSize);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.APP_PORT, '127.0.0.1', resolve);
  });
  log.info({ port: config.APP_PORT }, 'listening');

  const leave = async (signal: string) => {
    if (draining) return;
    draining = true;
    log.info({ signal }, 'leaving');
    await drain(server);
    try {
      await stop?.();
    } catch (error) {
      log.error({ err: error }, 'could not stop cleanly');
    }
    await sidecar.close().catch(() => undefined);
    process.exit(0);
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);

  await begin?.();
}

async function revocationsOfAuth(sidecar: Sidecar): Promise<readonly Revocation[]> {
  const asked = { to: 'auth', method: 'GET', path: '/internal/revocations', timeout: 1_000 } as const;
  return (await ask<{ items: Revocation[] }>(sidecar, asked)).items;
}

function keysOfAuth(sidecar: Sidecar): Promise<Jwks> {
  return ask(sidecar, { to: 'auth', method: 'GET', path: '/internal/jwks', timeout: 2_000 });
}

/**
 * A server for the app. Idle connections outlive the sidecar's own patience (90 s): if Node closed first, a call that
 * was just being sent would fail.
 */
export function serve(app: Koa, maxHeaderSize = 16_384): Server {
  const server = createServer(
    { maxHeaderSize, keepAliveTimeout: 120_000, headersTimeout: 10_000, requestTimeout: 30_000 },
    app.callback(),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseRaw(error, socket));
  return server;
}

/** Answers what never became a request: Node's parser refused it. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const code = error.code === 'HPE_HEADER_OVERFLOW' ? 'HEADERS_TOO_LARGE' : 'MALFORMED_REQUEST';
  const { status, title } = problems[code];
  const body = JSON.stringify({ type: typeOf(code), title, status, detail: title, code });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Takes no new connection and waits for what is under way. */
async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const sweep = setInterval(() => server.closeIdleConnections(), 100);
  const late = new Promise<void>((resolve) => setTimeout(resolve, DRAIN_MS).unref());
  await Promise.race([closed, late]);
  clearInterval(sweep);
  server.closeAllConnections();
}
