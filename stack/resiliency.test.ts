// What the policies in dapr/resiliency do, on real sidecars: the services are played by this test.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Mesh, startMesh } from './mesh.ts';
import { services } from './services.ts';
import { dataFolder } from './testing/note-mesh.ts';

jest.setTimeout(60_000);

const played = ['gateway', 'order', 'product', 'inventory'];
const { dataDir, remove } = dataFolder();
const servers: Server[] = [];
let mesh: Mesh;

/** What each service does with a request, and when it was asked. */
const behave: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {};
const asked: Record<string, number[]> = {};

beforeAll(async () => {
  const table = services.filter(({ appId }) => played.includes(appId)).map((service) => ({ ...service, entry: null }));
  mesh = await startMesh({
    base: 'free',
    dataDir,
    table,
    // The apps listen before the sidecars ask them what they subscribe to.
    onStart: ({ portsOf }) => {
      for (const { appId } of table) servers.push(listen(appId, portsOf(appId).app));
    },
  });
});
afterAll(async () => {
  for (const server of servers) server.close().closeAllConnections();
  await mesh?.stop();
  remove();
});
beforeEach(() => {
  for (const appId of played) {
    asked[appId] = [];
    behave[appId] = (_, response) => response.end('{}');
  }
});

function listen(appId: string, port: number): Server {
  const subscription = { pubsubname: 'pubsub-saga', topic: 'orders', route: '/heard' };
  return createServer((request, response) => {
    request.resume();
    if (request.url === '/dapr/subscribe') {
      response.setHeader('content-type', 'application/json');
      return response.end(JSON.stringify(appId === 'inventory' ? [subscription] : []));
    }
    if (request.url?.startsWith('/dapr/')) return response.writeHead(404).end();
    asked[appId]?.push(Date.now());
    return behave[appId]?.(request, response);
  }).listen(port, '127.0.0.1');
}

const answer = (status: number) => (_: IncomingMessage, response: ServerResponse) =>
  response.writeHead(status).end('{}');
const silence = () => {};

async function call(from: string, to: string, path: string): Promise<{ status: number; tookMs: number }> {
  const startedAt = Date.now();
  const { status } = await mesh.sidecar(from, path, { method: 'POST', headers: { 'dapr-app-id': to }, body: '{}' });
  return { status, tookMs: Date.now() - startedAt };
}

describe('a call', () => {
  test.each([404, 409, 422, 500, 503])('that is answered with %d is not repeated', async (status) => {
    behave.product = answer(status);
    expect((await call('order', 'product', `/answered-${status}`)).status).toBe(status);
    expect((await call('gateway', 'product', `/answered-${status}`)).status).toBe(status);
    expect(asked.product).toHaveLength(2);
  });

  test('of order that gets no answer is asked twice, within what the gateway waits for', async () => {
    behave.inventory = silence;
    const { status, tookMs } = await call('order', 'inventory', '/silent');
    expect(status).toBe(500);
    expect(asked.inventory).toHaveLength(2);
    expect(tookMs).toBeGreaterThan(4_000);
    expect(tookMs).toBeLessThan(6_000);
  });

  test('of the gateway that gets no answer is asked once', async () => {
    behave.order = silence;
    const { tookMs } = await call('gateway', 'order', '/silent');
    expect(asked.order).toHaveLength(1);
    expect(tookMs).toBeGreaterThan(5_900);
    expect(tookMs).toBeLessThan(8_000);
  });

  test('that found nobody goes through again soon after the other sidecar is back', async () => {
    const sidecar = mesh.process('inventory-dapr');
    await sidecar.stop();
    expect((await call('order', 'inventory', '/nobody-there')).status).toBe(500);
    await sidecar.start();
    await sidecar.waitReady();
    // order's sidecar dials again with a pause of its own (gRPC's, 1 s and growing); until then it answers at once.
    const backAt = Date.now();
    while ((await call('order', 'inventory', '/nobody-there')).status !== 200) {
      expect(Date.now() - backAt).toBeLessThan(10_000);
      await sleep(50);
    }
  });
});

describe('the breaker of order -> product', () => {
  test('opens after four faults on a path, spares product, and closes again', async () => {
    const ask = () => call('order', 'product', '/internal/prices');
    behave.product = answer(503);
    for (let n = 0; n < 4; n++) expect((await ask()).status).toBe(503);
    expect((await ask()).status).toBe(500); // open: not even asked
    expect(asked.product).toHaveLength(4);
    expect((await call('order', 'inventory', '/internal/availability')).status).toBe(200);

    behave.product = answer(200);
    await sleep(5_200);
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(200);
  });
});

describe('a delivery', () => {
  test('is repeated each second until it is taken', async () => {
    const pauses = () => (asked.inventory ?? []).slice(1).map((at, index) => at - (asked.inventory?.[index] ?? 0));
    const taken = Promise.withResolvers<void>();
    behave.inventory = (_, response) => {
      const enough = (asked.inventory?.length ?? 0) > 4;
      response.writeHead(enough ? 200 : 500).end();
      if (enough) taken.resolve();
    };
    const body = JSON.stringify({ n: 1 });
    const headers = { 'content-type': 'application/json' };
    await mesh.sidecar('order', '/v1.0/publish/pubsub-saga/orders', { method: 'POST', headers, body });
    await taken.promise;
    expect(pauses()).toHaveLength(4);
    for (const pause of pauses()) {
      expect(pause).toBeGreaterThan(900);
      expect(pause).toBeLessThan(2_500);
    }
  });
});
