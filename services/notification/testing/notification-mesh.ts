// Notification in two replicas on real sidecars, broker, database and mail server; the test plays the order service and auth.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sidecar } from '#kit/dapr/sidecar';
import type { StreamDocument } from '#kit/events/document';
import { Database } from '#kit/views/database';
import { type Mesh, startMesh } from '../../../stack/mesh.ts';
import { services } from '../../../stack/services.ts';
import type { Notification } from '../notification.ts';

/** A mail as the sink shows it. */
export interface ReceivedMail {
  readonly subject: string;
  readonly html: string;
  readonly to: readonly { readonly address: string }[];
}

export interface NotificationMesh {
  readonly mesh: Mesh;
  /** The order service's sidecar: publishes. */
  readonly orders: Sidecar;
  readonly database: Database;
  /** What auth knows: account id to address. */
  readonly accounts: Map<string, { email: string; name: string }>;
  /** While false auth answers 503. */
  authUp: boolean;
  document(orderId: string, template: string): Promise<StreamDocument<Notification> | undefined>;
  mails(): Promise<ReceivedMail[]>;
  stop(): Promise<void>;
}

export async function startNotificationMesh(): Promise<NotificationMesh> {
  const dataDir = mkdtempSync(join(tmpdir(), 'notification-'));
  const servers: Server[] = [];
  const auth = { authUp: true };
  const accounts: NotificationMesh['accounts'] = new Map();
  const listen = (port: number, handler: RequestListener) => {
    servers.push(createServer(handler).listen(port, '127.0.0.1'));
  };
  const playAuth: RequestListener = (request, response) => {
    const account = accounts.get((request.url ?? '').split('/').at(-1) ?? '');
    const status = !auth.authUp ? 503 : account ? 200 : 404;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(account ?? {}));
  };
  const mesh = await startMesh({
    base: 'free',
    dataDir,
    table: services.map((service) =>
      ['order', 'auth'].includes(service.appId) ? { ...service, entry: null } : service,
    ),
    only: ['auth', 'order', 'notification'],
    replicas: { notification: 2 },
    env: { notification: { LOG_LEVEL: process.env.TEST_LOG ?? 'warn', MAIL_TIMEOUT_SECONDS: '2' } },
    onStart(starting) {
      listen(starting.portsOf('auth').app, playAuth);
      listen(starting.portsOf('order').app, (_, response) => response.writeHead(404).end());
    },
  });
  const sidecarOf = (appId: string) =>
    new Sidecar({ port: mesh.portsOf(appId).daprHttp, token: mesh.secrets[`dapr-api-token-${appId}`] });
  const orders = sidecarOf('order');
  const own = sidecarOf('notification');
  return Object.assign(auth, {
    mesh,
    orders,
    database: new Database(own, 'views-notification'),
    accounts,
    async document(orderId: string, template: string) {
      const key = `notification:${orderId}:${template}`;
      return (await own.get<StreamDocument<Notification>>('statestore-notification', key))?.value;
    },
    async mails() {
      const answer = await fetch(`http://127.0.0.1:${mesh.ports.mailWeb}/api/email`);
      return (await answer.json()) as ReceivedMail[];
    },
    async stop() {
      await Promise.all([orders.close(), own.close()]);
      await mesh.stop();
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(dataDir, { recursive: true, force: true });
    },
  });
}
