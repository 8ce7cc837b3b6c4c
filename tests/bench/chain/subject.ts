// The bare chain as a subject: the same table of deployables, components and settings as the system, other apps.
import { randomUUID } from 'node:crypto';
import { type Mesh, startMesh } from '../../../stack/mesh.ts';
import { services } from '../../../stack/services.ts';
import { Gateway } from '../../client/gateway.ts';
import type { Operation } from '../load.ts';
import { type LineName, linesOf, type Subject } from '../subject.ts';

/** As many goods as the system of the bench has. */
const GOODS = 1_000;

/** Starts the chain on data of its own in `dataDir`. */
export async function startChain(dataDir: string, onStart: (mesh: Mesh) => void): Promise<Subject> {
  const table = services.map((service) => ({
    ...service,
    ...{ entry: 'tests/bench/chain/main.ts', env: {}, readyPath: '/readyz' },
  }));
  const mesh = await startMesh({ base: 'free', dataDir, fresh: true, table, onStart });
  const seed = async (appId: string, what: object) => {
    const url = `http://127.0.0.1:${mesh.portsOf(appId).app}/seed`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(what) });
    if (!answer.ok) throw new Error(`the chain's ${appId} could not be filled: ${await answer.text()}`);
  };
  for (const appId of ['order', 'inventory', 'payment', 'product', 'report']) {
    await seed(appId, { name: 'rows', binding: `views-${appId}`, count: appId === 'product' ? GOODS : 0 });
  }
  await seed('product', { name: 'product*', count: GOODS });
  await seed('inventory', { name: 'item*', count: GOODS });

  const gateway = new Gateway({ baseUrl: mesh.url, connections: 64 });
  const placed: string[] = [];
  const order =
    (lines: number, hot: boolean): Operation =>
    async (n) => {
      const id = randomUUID();
      const items = Array.from({ length: lines }, (_, line) => (hot ? 0 : (n * lines + line) % GOODS));
      const body = { id, lines: items, note: 'as long as the lines of an order '.repeat(2 + lines) };
      const { status } = await gateway.send('POST', '/api/v1/orders', { body, timeout: 60_000 });
      if (status !== 200) throw new Error(`the chain answered ${status}`);
      if (placed.length < 2_000) placed.push(id);
      return 'done';
    };
  const read =
    (path: (n: number) => string): Operation =>
    async (n) => {
      const { status } = await gateway.send('GET', path(n));
      if (status !== 200) throw new Error(`the chain answered ${status}`);
      return 'done';
    };
  const operations: Partial<Record<LineName, Operation>> = {
    'hot-sku': order(1, true),
    'order-read': read((n) => `/api/v1/orders/${placed[n % placed.length]}`),
    'product-list': read(() => '/api/v1/products'),
    'stock-read': read((n) => `/api/v1/inventory/${n % GOODS}`),
  };
  return {
    name: 'chain',
    mesh,
    operation(line) {
      const lines = linesOf[line];
      return operations[line] ?? (line.startsWith('checkout') && lines ? order(lines, false) : undefined);
    },
    close: () => gateway.close(),
  };
}
