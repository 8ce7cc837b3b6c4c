// A gateway on a port, in front of a fake sidecar and services that a test makes up.
import { rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, jest } from '@jest/globals';
import type { Api } from '#kit/http/api';
import { createApp } from '#kit/http/app';
import { silent } from '#kit/log';
import { type FakeSidecar, startFakeSidecar } from '#kit/testing/fake-sidecar';
import { testIssuer } from '#kit/testing/tokens';
import { gatewayApp } from './app.ts';
import type { Times } from './forward.ts';
import { services } from './routes.ts';

/** Longer than anything takes on a busy machine; tests of time-outs have shorter ones. */
export const patient: Times = { attempt: 4_000, request: 4_500, command: 9_000, innerWait: 1_000, pause: 20 };

export interface GatewayUnderTest {
  readonly url: string;
  readonly fake: FakeSidecar;
  /** `/readyz` waits for it. */
  readonly readyFile: string;
  /** Requests that reached a service, in order; empty again after each test. */
  readonly seen: { method: string | undefined; url: string | undefined; headers: IncomingHttpHeaders }[];
  /** Puts a service behind the gateway, in place of an empty one. */
  service(name: string, ...routes: Pick<Api, 'routes'>[]): void;
  bearer(claims?: Record<string, unknown>): string;
  /** Another gateway over the same services, as a request listener. */
  withTimes(times: Times): ReturnType<ReturnType<typeof gatewayApp>['callback']>;
}

/** Registers start and stop around the tests of a file. Limits are full again after each test: an hour passes. */
export function gatewayUnderTest(): GatewayUnderTest {
  jest.setTimeout(20_000);
  const issuer = testIssuer();
  let fake: FakeSidecar;
  let now = Date.now();
  const seen: GatewayUnderTest['seen'] = [];
  const readyFile = join(tmpdir(), `gateway-ready-${process.pid}`);

  function appWith(times: Times) {
    return gatewayApp({
      name: 'gateway',
      log: silent,
      verifier: issuer.verifier,
      sidecar: fake.client,
      origins: ['https://shop.example'],
      readyFile,
      clock: () => new Date(now),
      times,
    });
  }

  function service(name: string, ...routes: Pick<Api, 'routes'>[]) {
    const app = createApp({ name, log: silent, routes, verifier: issuer.verifier, strictAnswers: false });
    const listener = app.callback();
    fake.apps.set(name, (req, res) => {
      seen.push({ method: req.method, url: req.url, headers: req.headers });
      listener(req, res);
    });
  }

  const server = createServer({ maxHeaderSize: 6_144 });
  beforeAll(async () => {
    fake = await startFakeSidecar();
    for (const name of services) service(name);
    server.on('request', appWith(patient).callback());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await fake.close();
    rmSync(readyFile, { force: true });
  });
  afterEach(() => {
    seen.length = 0;
    now += 3_600_000;
  });

  return {
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    get fake() {
      return fake;
    },
    readyFile,
    seen,
    service,
    bearer: (claims = {}) => `Bearer ${issuer.token({ exp: Math.floor(Date.now() / 1_000) + 600, ...claims })}`,
    withTimes: (times) => appWith(times).callback(),
  };
}
