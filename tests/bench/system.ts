// Our system as a subject: a mesh of its own with goods for the bench, used as tills and a web shop use it.
import { randomUUID } from 'node:crypto';
import { seedDemo } from '../../stack/demo.ts';
import { type Mesh, startMesh } from '../../stack/mesh.ts';
import { receive } from '../acceptance/goods.ts';
import { openDoors } from '../acceptance/open-world.ts';
import type { Answer, Gateway } from '../client/gateway.ts';
import { defineProducts, type Order, type OrderRequest } from '../client/retail.ts';
import type { Operation, Outcome } from './load.ts';
import { type LineName, linesOf, type Subject } from './subject.ts';

/** Goods of the bench: enough that orders which are spread out seldom meet on a shelf. */
export const GOODS = 1_000;
const SHOPS = ['shop-343', 'shop-361', 'shop-367', 'shop-406'] as const;
const WEB = 'web';
const QUANTITY = 900_000;
/** Seconds that a client lets the POST wait for the final order. */
const WAIT = 20;

const skuOf = (n: number): string => `bench-${n % GOODS}`;

/** Starts the system on data of its own in `dataDir`, with the demo and the goods of the bench. */
export async function startSystem(dataDir: string, onStart: (mesh: Mesh) => void): Promise<Subject> {
  const mesh = await startMesh({
    ...{ base: 'free', dataDir, fresh: true, onStart },
    seed: ({ url, secrets }) => seedDemo({ baseUrl: url, secrets }),
  });
  const doors = openDoors(mesh.url, mesh.secrets);
  await stockUp(doors.admin);
  const tills = SHOPS.map((shopId) => ({ shopId, gateway: doors.till(shopId) }));
  const web = doors.till(WEB);
  const placed: { id: string; gateway: Gateway }[] = [];

  const pick = (n: number) => tills[n % tills.length] as (typeof tills)[number];
  const order =
    (lines: number, hot: boolean): Operation =>
    async (n) => {
      const { shopId, gateway } = hot ? (tills[0] as (typeof tills)[number]) : pick(n);
      const request = tillOrder(shopId, n, hot ? [skuOf(0)] : skusOf(n, lines));
      const { outcome, id } = await buy(gateway, request);
      if (id !== undefined && placed.length < 2_000) placed.push({ id, gateway });
      return outcome;
    };
  const read = (path: (n: number) => { gateway: Gateway; path: string }) => async (n: number) => {
    const { gateway, path: url } = path(n);
    return outcomeOf(await gateway.send('GET', url), 200);
  };

  const operations: Record<LineName, Operation> = {
    'checkout-1': order(1, false),
    'checkout-5': order(5, false),
    'checkout-30': order(30, false),
    'hot-sku': order(1, true),
    'web-1': async (n) => (await buy(web, webOrder(skusOf(n, linesOf['web-1'] ?? 1)))).outcome,
    'order-read': read((n) => {
      const { id, gateway } = placed[n % placed.length] ?? { id: 'none', gateway: web };
      return { gateway, path: `/api/v1/orders/${id}` };
    }),
    'product-list': read((n) => ({ gateway: pick(n).gateway, path: '/api/v1/products?limit=20' })),
    'stock-read': read((n) => {
      const { gateway, shopId } = pick(n);
      return { gateway, path: `/api/v1/inventory/${shopId}/${skuOf(n)}` };
    }),
  };
  return {
    name: 'ours',
    mesh,
    operation: (line) => operations[line],
    close: () => doors.anybody.close(),
  };
}

async function stockUp(admin: Gateway): Promise<void> {
  const skus = Array.from({ length: GOODS }, (_, n) => skuOf(n));
  const prices = [{ shopId: 'default', amount: 299, currency: 'USD' }];
  for (let from = 0; from < GOODS; from += 500) {
    const items = skus
      .slice(from, from + 500)
      .map((sku) => ({ sku, name: `Bench product ${sku}`, attributes: {}, prices }));
    await defineProducts(admin, items);
  }
  for (const shopId of [...SHOPS, WEB]) await receive(admin, shopId, skus, QUANTITY);
}

/** Distinct skus that walk through all goods, so that every order has others than its neighbours. */
const skusOf = (n: number, lines: number): string[] =>
  Array.from({ length: lines }, (_, line) => skuOf(n * lines + line));

/** A card sale at a till to a customer whom only the shop knows: nobody has an account, so nobody gets a mail. */
function tillOrder(shopId: string, n: number, skus: readonly string[]): OrderRequest {
  return {
    ...{ channel: 'pos', shopId, customerId: `household-${n % 2_500}` },
    lines: skus.map((sku) => ({ sku, quantity: 1, unitPrice: 299 })),
    payment: { method: 'card', token: 'pm_card_visa' },
  };
}

/** A guest of the web shop: priced by the catalogue, stock asked before. */
function webOrder(skus: readonly string[]): OrderRequest {
  return {
    ...{ channel: 'web', shopId: WEB },
    lines: skus.map((sku) => ({ sku, quantity: 1 })),
    payment: { method: 'card', token: 'pm_card_visa' },
  };
}

/** One call, as a good client makes it: the POST waits for the final order. */
async function buy(gateway: Gateway, body: OrderRequest): Promise<{ outcome: Outcome; id?: string }> {
  const headers = { prefer: `wait=${WAIT}` };
  const answer = await gateway.send<Order>('POST', '/api/v1/orders', {
    body,
    headers,
    key: randomUUID(),
    timeout: 60_000,
  });
  const outcome = outcomeOf(answer, 201);
  if (outcome === 'refused') return { outcome };
  if (answer.body.status !== 'confirmed') throw new Error(`an order is ${answer.body.status} after ${WAIT} s`);
  return { outcome, id: answer.body.id };
}

function outcomeOf({ status, body }: Answer, wanted: number): Outcome {
  if (status === wanted) return 'done';
  if (status === 429 || status === 503) return 'refused';
  throw new Error(`answered ${status}: ${JSON.stringify(body).slice(0, 200)}`);
}
