// Our system as a subject: a mesh of its own with goods for the bench, used as tills and a web shop use it.
import { randomUUID } from 'node:crypto';
import { seedDemo } from '../../stack/demo.ts';
import { type Basket, readBaskets } from '../../stack/demo-data.ts';
import { type Mesh, startMesh } from '../../stack/mesh.ts';
import { receive } from '../acceptance/goods.ts';
import { type Answer, Gateway } from '../client/gateway.ts';
import { client, person } from '../client/identity.ts';
import { defineProducts, type Order, type OrderRequest } from '../client/retail.ts';
import { orderOf } from '../replay/basket.ts';
import { defineCatalogue, openingReceipts, openStock } from '../replay/opening.ts';
import type { Operation, Outcome } from './load.ts';
import { questionsOf } from './questions.ts';
import type { LineName, Subject } from './subject.ts';

/** Goods of the bench: enough that orders which are spread out seldom meet on a shelf. */
export const GOODS = 1_000;
const SHOPS = ['shop-343', 'shop-361', 'shop-367', 'shop-406'] as const;
const WEB = 'web';
/** In the catalogue and in stock, and in no order. */
const QUIET = 'quiet';
const QUANTITY = 900_000;
const baskets = readBaskets();
/** Seconds that a client lets the POST wait for the final order. */
const WAIT = 20;

const skuOf = (n: number): string => `bench-${n % GOODS}`;

/** Starts the system on data of its own in `dataDir`, with the demo and the goods of the bench. */
export async function startSystem(dataDir: string, onStart: (mesh: Mesh) => void): Promise<Subject> {
  const mesh = await startMesh({
    ...{ base: 'free', dataDir, fresh: true, onStart },
    seed: ({ url, secrets }) => seedDemo({ baseUrl: url, secrets }),
  });
  const secret = (name: string) => mesh.secrets[name] ?? '';
  // As many connections as an open loop may need: clients never queue here.
  const anybody = new Gateway({ baseUrl: mesh.url, connections: 2_048, patience: 60_000 });
  const admin = anybody.as(person('admin@demo.test', secret('demo-password')));
  const customer = anybody.as(person('customer@demo.test', secret('demo-password')));
  const tillOf = (shopId: string) => anybody.as(client(`till-${shopId}`, secret(`till-${shopId}`)));
  await stockUp(admin);
  const tills = SHOPS.map((shopId) => ({ shopId, gateway: tillOf(shopId) }));
  const web = tillOf(WEB);
  const placed: { id: string; gateway: Gateway }[] = [];

  const pick = (n: number) => tills[n % tills.length] as (typeof tills)[number];
  const sell =
    (lines: number): Operation =>
    async (n) => {
      const { shopId, gateway } = pick(n);
      const { outcome, id } = await buy(gateway, tillOrder(shopId, n, skusOf(n, lines)));
      if (id !== undefined && placed.length < 2_000) placed.push({ id, gateway });
      return outcome;
    };
  const sellHot: Operation = async (n) =>
    (await buy(pick(0).gateway, tillOrder(pick(0).shopId, n, [skuOf(0)]))).outcome;
  const order =
    (gateway: Gateway): Operation =>
    async (n) =>
      (await buy(gateway, webOrder(skusOf(n, 1)))).outcome;
  const read =
    (path: (n: number) => { gateway: Gateway; path: string }): Operation =>
    async (n) => {
      const { gateway, path: url } = path(n);
      return outcomeOf(await gateway.send('GET', url), 200);
    };
  let filled: Promise<void> | undefined;
  const fillCatalogue = () => {
    filled ??= fill(admin);
    return filled;
  };

  const operations: Record<LineName, Operation> = {
    'checkout-1': sell(1),
    'checkout-5': sell(5),
    'checkout-30': sell(30),
    'hot-sku': sellHot,
    'web-1': order(web),
    mail: order(customer),
    'order-read': read((n) => {
      const { id, gateway } = placed[n % placed.length] ?? { id: 'none', gateway: web };
      return { gateway, path: `/api/v1/orders/${id}` };
    }),
    'product-list': read((n) => ({ gateway: pick(n).gateway, path: '/api/v1/products?limit=20' })),
    'stock-read': read((n) => {
      const { gateway, shopId } = pick(n);
      return { gateway, path: `/api/v1/inventory/${shopId}/${skuOf(n)}` };
    }),
    replay: async (n) => {
      const basket = baskets[n % baskets.length] as Basket;
      const till = tills.find(({ shopId }) => shopId === basket.shopId) ?? pick(0);
      return (await buy(till.gateway, orderOf(basket))).outcome;
    },
  };
  return {
    name: 'ours',
    mesh,
    questions: questionsOf(admin, { shopId: pick(0).shopId, busy: skuOf(0), quiet: QUIET }),
    staff: admin,
    fillCatalogue,
    async operation(line) {
      if (line === 'replay') await fillCatalogue();
      return operations[line];
    },
    close: () => anybody.close(),
  };
}

/** The catalogue of the data, and the stock that its baskets sell. */
async function fill(admin: Gateway): Promise<void> {
  await defineCatalogue(admin);
  for (const receipt of openingReceipts(baskets)) await openStock(admin, receipt);
}

async function stockUp(admin: Gateway): Promise<void> {
  const skus = [...Array.from({ length: GOODS }, (_, n) => skuOf(n)), QUIET];
  const prices = [{ shopId: 'default', amount: 299, currency: 'USD' }];
  for (let from = 0; from < skus.length; from += 500) {
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

/** An order of the web shop: priced by the catalogue, stock asked before. */
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
  if (answer.body.status === 'placed') return { outcome: 'late' };
  if (answer.body.status !== 'confirmed') throw new Error(`an order is ${JSON.stringify(answer.body).slice(0, 300)}`);
  return { outcome, id: answer.body.id };
}

function outcomeOf({ status, body }: Answer, wanted: number): Outcome {
  if (status === wanted) return 'done';
  if (status === 429 || status === 503) return 'refused';
  throw new Error(`answered ${status}: ${JSON.stringify(body).slice(0, 200)}`);
}
