// Report in two replicas on real sidecars, broker and PostgreSQL; the test itself plays the order service, which owns what it publishes.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sidecar } from '#kit/dapr/sidecar';
import { Database } from '#kit/views/database';
import { type Mesh, startMesh } from '../../../stack/mesh.ts';
import { services } from '../../../stack/services.ts';

export interface ReportMesh {
  readonly mesh: Mesh;
  /** The sidecar of the owner: publishes. */
  readonly owner: Sidecar;
  /** What the owner answers for `/internal/streams/<key>`; a key that is not here is 404. */
  readonly owned: Map<string, readonly unknown[]>;
  /** While false the owner answers 500. */
  up: boolean;
  /** Report's database, through report's sidecar. */
  readonly database: Database;
  readonly sidecar: Sidecar;
  /** Asks an internal route of report through its sidecar. */
  ask<T>(path: string): Promise<T>;
  stop(): Promise<void>;
}

/** `standIn`: nothing runs behind report's sidecar, the test uses it. */
export async function startReportMesh({ standIn = false } = {}): Promise<ReportMesh> {
  const dataDir = mkdtempSync(join(tmpdir(), 'report-'));
  const owned = new Map<string, readonly unknown[]>();
  const servers: Server[] = [];
  const state = { up: true };
  const listen = (port: number) => {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const events = owned.get(decodeURIComponent(pathname.replace('/internal/streams/', '')));
      const status = !state.up ? 500 : events ? 200 : 404;
      const body = pathname === '/dapr/subscribe' ? '[]' : JSON.stringify({ events });
      response.writeHead(pathname === '/dapr/subscribe' ? 200 : status, { 'content-type': 'application/json' });
      response.end(body);
    });
    servers.push(server.listen(port, '127.0.0.1'));
  };
  const table = services.map((service) =>
    service.appId === 'order' || (service.appId === 'report' && standIn) ? { ...service, entry: null } : service,
  );
  const mesh = await startMesh({
    base: 'free',
    dataDir,
    table,
    only: ['order', 'report'],
    replicas: { report: standIn ? 1 : 2 },
    env: { report: { LOG_LEVEL: process.env.TEST_LOG ?? 'warn' } },
    onStart(starting) {
      listen(starting.portsOf('order').app);
      if (standIn) listen(starting.portsOf('report').app);
    },
  });
  const sidecarOf = (appId: string) =>
    new Sidecar({ port: mesh.portsOf(appId).daprHttp, token: mesh.secrets[`dapr-api-token-${appId}`] });
  const owner = sidecarOf('order');
  const sidecar = sidecarOf('report');
  return Object.assign(state, {
    mesh,
    owner,
    owned,
    sidecar,
    database: new Database(sidecar, 'views-report'),
    async ask<T>(path: string): Promise<T> {
      const answer = await mesh.sidecar('report', path, { headers: { 'dapr-app-id': 'report' } });
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    async stop() {
      await Promise.all([owner.close(), sidecar.close()]);
      await mesh.stop();
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(dataDir, { recursive: true, force: true });
    },
  });
}
