// The demo: the four shops of the data and a web shop, each with goods on the shelf. Through the public surface only,
// so that it is also the first client of every start.
import { Gateway } from '../tests/client/gateway.ts';
import { person } from '../tests/client/identity.ts';
import { ProblemError } from '../tests/client/problem.ts';
import { bookReceipt, defineProducts, getStock, type Product, type Shop } from '../tests/client/retail.ts';
import { type Basket, productOf, readBaskets, readProducts, storesOf, unitsSold } from './demo-data.ts';

export interface DemoOptions {
  /** The gateway, e.g. `http://127.0.0.1:8000`. It need not say ready yet: it waits for this demo. */
  readonly baseUrl: string;
  /** Of the runner; `demo-password` is the one that is read here. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly log?: (text: string) => void;
}

const ADMIN = 'admin@demo.test';
/** Of each shop's best sellers, so many come into the demo. */
const PRODUCTS_PER_SHOP = 60;
/** So many of each that no demo sells out by accident. */
const QUANTITY = 10_000;
/** Names the opening stock: a start that comes again books nothing twice. A changed demo needs a new name. */
const REFERENCE = 'demo-opening-stock-2';

/** The web shop of the demo. */
export const WEB_SHOP: Shop = { id: 'web', name: 'Web shop', kind: 'web', currency: 'USD', timeZone: 'UTC' };

interface Demo {
  readonly shops: readonly Shop[];
  readonly products: readonly Product[];
  /** Skus to be on the shelf, by shop id. */
  readonly assortment: ReadonlyMap<string, readonly string[]>;
}

/**
 * Brings the demo's shops, products and opening stock in. Safe at every start, also after one that was interrupted:
 * the web shop's goods are booked last and tell that all is there (a login and one read then).
 * @throws {ProblemError} the gateway refused something that the demo needs
 */
export async function seedDemo({ baseUrl, secrets, log = () => {} }: DemoOptions): Promise<void> {
  const password = secrets['demo-password'];
  if (!password) throw new Error('the demo needs the secret demo-password');
  const gateway = new Gateway({ baseUrl, identity: person(ADMIN, password), connections: 8, patience: 60_000 });
  try {
    const demo = planDemo(readBaskets());
    if (await isDone(gateway, demo)) return log('demo data: already there');
    await openShops(gateway, demo.shops);
    await fillCatalogue(gateway, demo.products);
    await Promise.all(demo.shops.filter((shop) => shop !== WEB_SHOP).map((shop) => stock(gateway, shop, demo)));
    await stock(gateway, WEB_SHOP, demo);
    log(`demo data: ${demo.shops.length} shops with ${demo.products.length} products in stock at each`);
  } finally {
    await gateway.close();
  }
}

/** What the demo consists of: the shops of the data and a web shop, with the goods that any of them sells most. */
export function planDemo(baskets: readonly Basket[]): Demo {
  const stores = storesOf(baskets);
  const best = (sold: readonly Basket[]) =>
    unitsSold(sold)
      .map(({ sku }) => sku)
      .slice(0, PRODUCTS_PER_SHOP * 2);
  const rows = new Map(readProducts().map((row) => [row.sku, row]));
  // A web order is priced by the catalogue: a product without a price above zero would be given away.
  const priced = (sku: string) => (rows.get(sku)?.listPrice ?? 0) > 0;
  const favourites = [...stores.map(({ id }) => baskets.filter(({ shopId }) => shopId === id)), baskets].map((sold) =>
    best(sold).filter(priced).slice(0, PRODUCTS_PER_SHOP),
  );
  // Every shop has every product of the demo: whatever the catalogue shows can be bought anywhere.
  const skus = [...new Set(favourites.flat())].sort();
  const shops = [...stores, WEB_SHOP];
  const assortment = new Map(shops.map(({ id }) => [id, skus]));
  const products = skus.flatMap((sku) => {
    const row = rows.get(sku);
    return row ? [productOf(row)] : [];
  });
  return { shops, products, assortment };
}

async function isDone(gateway: Gateway, { assortment }: Demo): Promise<boolean> {
  const last = assortment.get(WEB_SHOP.id)?.at(-1) ?? '';
  try {
    const { onHand, reserved } = await getStock(gateway, WEB_SHOP.id, last);
    return onHand > 0 || reserved > 0;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return false;
    throw error;
  }
}

async function openShops(gateway: Gateway, shops: readonly Shop[]): Promise<void> {
  await Promise.all(
    shops.map(async (shop) => {
      try {
        await gateway.call('POST', '/api/v1/shops', { body: shop, repeatable: true });
      } catch (error) {
        if (!(error instanceof ProblemError && error.code === 'ALREADY_EXISTS')) throw error;
      }
    }),
  );
}

async function fillCatalogue(gateway: Gateway, products: readonly Product[]): Promise<void> {
  const refused = (await defineProducts(gateway, products)).filter(({ outcome }) => outcome === 'refused');
  if (refused.length > 0)
    throw new Error(`the catalogue refused ${refused.length} demo products, first: ${JSON.stringify(refused[0])}`);
}

async function stock(gateway: Gateway, shop: Shop, { assortment }: Demo): Promise<void> {
  const lines = (assortment.get(shop.id) ?? []).map((sku) => ({ sku, quantity: QUANTITY }));
  const receipt = { shopId: shop.id, lines, reference: REFERENCE, reason: 'opening stock of the demo' };
  await bookReceipt(gateway, receipt, `${REFERENCE}:${shop.id}`);
}
