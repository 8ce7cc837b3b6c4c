// The bare chain as a subject: the same table of deployables, components and settings as the system, other apps.
import { randomUUID } from 'node:crypto';
import { readBaskets } from '../../../stack/demo-data.ts';
import { type Mesh, startMesh } from '../../../stack/mesh.ts';
import { services } from '../../../stack/services.ts';
import { Gateway } from '../../client/gateway.ts';
import type { Operation, Outcome } from '../load.ts';
import type { LineName, Subject } from '../subject.ts';

/** As many goods as the system of the bench has. */
const GOODS = 1_000;
const baskets = readBaskets();

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
  for (const appId of ['order', 'inventory', 'payment', 'product', 'report', 'notification']) {
    await seed(appId, { name: 'rows', binding: `views-${appId}`, count: appId === 'product' ? GOODS : 0 });
  }
  await seed('product', { name: 'product*', count: GOODS });
  await seed('inventory', { name: 'item*', count: GOODS });

  const gateway = new Gateway({ baseUrl: mesh.url, connections: 2_048 });
  const placed: string[] = [];
  const ask = async (method: 'GET' | 'POST', path: string, body?: unknown): Promise<Outcome> => {
    const { status } = await gateway.send(method, path, { body, timeout: 60_000 });
    if (status !== 200) throw new Error(`the chain answered ${status} to ${path}`);
    return 'done';
  };
  const sell =
    (lines: (n: number) => readonly number[], more: { readonly web?: true; readonly mail?: true } = {}): Operation =>
    async (n) => {
      const id = randomUUID();
      const items = lines(n);
      const note = 'as long as the lines of an order '.repeat(2 + items.length);
      if (placed.length < 2_000) placed.push(id);
      return ask('POST', more.web ? '/api/v1/web-orders' : '/api/v1/orders', { ...more, id, lines: items, note });
    };
  const spread = (lines: number) => (n: number) =>
    Array.from({ length: lines }, (_, line) => (n * lines + line) % GOODS);
  const operations: Record<LineName, Operation> = {
    'checkout-1': sell(spread(1)),
    'checkout-5': sell(spread(5)),
    'checkout-30': sell(spread(30)),
    'hot-sku': sell(() => [0]),
    'web-1': sell(spread(1), { web: true }),
    mail: sell(spread(1), { web: true, mail: true }),
    'order-read': (n) => ask('GET', `/api/v1/orders/${placed[n % placed.length]}`),
    'product-list': () => ask('GET', '/api/v1/products'),
    'stock-read': (n) => ask('GET', `/api/v1/inventory/${n % GOODS}`),
    // As many lines as the baskets have, one for each sku.
    replay: sell((n) => spread(Math.min(GOODS, baskets[n % baskets.length]?.lines.length ?? 1))(n)),
  };
  return {
    name: 'chain',
    mesh,
    operation: async (line) => operations[line],
    fillCatalogue: async () => {},
    close: () => gateway.close(),
  };
}
