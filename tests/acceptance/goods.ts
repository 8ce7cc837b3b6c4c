// Products and stock made for one test alone, so that tests do not meet on a shelf.
import { randomInt, randomUUID } from 'node:crypto';
import type { Gateway } from '../client/gateway.ts';
import { bookReceipt, defineProducts, type OrderRequest, type Product } from '../client/retail.ts';

/** A text that no other test has. */
export function unique(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 13)}`;
}

/** A word of so many letters, none after p, that no other test has. */
export function letters(count: number): string {
  return Array.from({ length: count }, () => String.fromCodePoint(0x61 + randomInt(16))).join('');
}

/** A product as the catalogue takes it; priced in USD at every shop unless told otherwise. */
export function productNamed(sku: string, changes: Partial<Product> = {}): Product {
  return {
    sku,
    name: `Test product ${sku}`,
    attributes: {},
    prices: [{ shopId: 'default', amount: 250, currency: 'USD' }],
    ...changes,
  };
}

export interface Goods {
  readonly shopId: string;
  /** How many different skus; 1 unless told. */
  readonly count?: number;
  /** Received of each; none when 0. */
  readonly quantity: number;
  /** Catalogue price in cents; 250 unless told. */
  readonly price?: number;
}

/** Defines new products and receives stock of them. Answers their skus. */
export async function newGoods(admin: Gateway, { shopId, count = 1, quantity, price = 250 }: Goods): Promise<string[]> {
  const skus = Array.from({ length: count }, () => unique('sku'));
  const prices = [{ shopId: 'default', amount: price, currency: 'USD' }];
  for (let from = 0; from < count; from += 500) {
    const results = await defineProducts(
      admin,
      skus.slice(from, from + 500).map((sku) => productNamed(sku, { prices })),
    );
    const refused = results.find(({ outcome }) => outcome !== 'created');
    if (refused) throw new Error(`product not created: ${JSON.stringify(refused)}`);
  }
  if (quantity > 0) await receive(admin, shopId, skus, quantity);
  return skus;
}

/** One new product with stock. */
export async function newSku(admin: Gateway, goods: Omit<Goods, 'count'>): Promise<string> {
  const [sku] = await newGoods(admin, goods);
  return sku as string;
}

/** Books a receipt of the same quantity of each sku. */
export async function receive(
  admin: Gateway,
  shopId: string,
  skus: readonly string[],
  quantity: number,
): Promise<void> {
  const reference = unique('receipt');
  await bookReceipt(admin, { shopId, reference, lines: skus.map((sku) => ({ sku, quantity })) }, reference);
}

/** A web order of some skus, paid with the good card. */
export function webOrder(skus: readonly string[], changes: Partial<OrderRequest> = {}): OrderRequest {
  return {
    channel: 'web',
    shopId: 'web',
    lines: skus.map((sku) => ({ sku, quantity: 1 })),
    payment: { method: 'card', token: 'pm_card_visa' },
    ...changes,
  };
}

/** A till's order, with the price of the till, paid with the good card. It happens now, so stock is needed. */
export function posOrder(shopId: string, skus: readonly string[], changes: Partial<OrderRequest> = {}): OrderRequest {
  return {
    channel: 'pos',
    shopId,
    lines: skus.map((sku) => ({ sku, quantity: 1, unitPrice: 199 })),
    payment: { method: 'card', token: 'pm_card_visa' },
    ...changes,
  };
}
