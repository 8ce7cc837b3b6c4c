// The list of products on a real PostgreSQL and a real cache, through a sidecar; a test puts in what it likes and asks.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cache } from '#kit/dapr/cache';
import { Sidecar } from '#kit/dapr/sidecar';
import type { Message } from '#kit/events/message';
import { Metrics } from '#kit/http/metrics';
import { silent } from '#kit/log';
import { Database } from '#kit/views/database';
import { project } from '#kit/views/projection';
import { startMesh } from '../../../stack/mesh.ts';
import { services } from '../../../stack/services.ts';
import type { Product } from '../product.ts';
import { type ProductList, productList } from '../views.ts';

export interface ProductBench {
  readonly database: Database;
  readonly list: ProductList;
  /** Reads that the cache answered. */
  hits(): number;
  /** Creates the tables, or what they lack. */
  create(): Promise<void>;
  /** As one delivery of the topic: the products as they are in that version, 1 unless told. @throws {Error} not taken */
  put(products: readonly Product[], version?: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startProductBench(): Promise<ProductBench> {
  const dataDir = mkdtempSync(join(tmpdir(), 'product-'));
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(request.url === '/dapr/subscribe' ? '[]' : '{}');
  });
  const mesh = await startMesh({
    base: 'free',
    dataDir,
    table: services.map((service) => (service.appId === 'product' ? { ...service, entry: null } : service)),
    only: ['product'],
    onStart: (starting) => server.listen(starting.portsOf('product').app, '127.0.0.1'),
  });
  const token = mesh.secrets['dapr-api-token-product'];
  const sidecar = new Sidecar({ port: mesh.portsOf('product').daprHttp, token });
  const database = new Database(sidecar, 'views-product');
  const metrics = new Metrics();
  const list = productList(database, new Cache(sidecar, { metrics }));
  const { handle } = project(list.projection, silent);
  return {
    database,
    list,
    hits: () => Number(/outcome="hit"\} (\d+)/.exec(metrics.render())?.[1] ?? 0),
    async create() {
      for (const { table } of list.projection.tables) await table.create();
    },
    async put(products, version = 1) {
      const messages = products.map(
        (data) => ({ id: `${data.sku}@${version}`, type: 'product.defined', version, data }) as unknown as Message,
      );
      const strange = (await handle(messages)).find((status) => status !== 'SUCCESS');
      if (strange) throw new Error(`a delivery was answered ${JSON.stringify(strange)}`);
    },
    async stop() {
      await sidecar.close();
      await mesh.stop();
      server.closeAllConnections();
      server.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
