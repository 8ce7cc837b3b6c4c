// A product of the catalogue: what it is, and what it costs where and from when. Pure.
import { type Decision, type EventOf, type Refusal, refuse, type StreamKind } from '#kit/events/aggregate';
import { bucketOf, hashOf } from '#kit/ids';

/** An amount in minor units, for one shop or for all that have none of their own (`default`). */
export interface Price {
  readonly shopId: string;
  readonly amount: number;
  readonly currency: string;
  /** Instant from which it counts; absent: always. */
  readonly validFrom?: string | undefined;
}

export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly type?: string | undefined;
  readonly department?: string | undefined;
  readonly category?: string | undefined;
  readonly brand?: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly prices: readonly Price[];
}

/** A product as a client describes it. Prices that are left out stay as they are: they have a route of their own. */
export type ProductDraft = Omit<Product, 'prices'> & { readonly prices?: readonly Price[] | undefined };

/** Both carry the whole product, so that a reader needs the newest event only. */
export type ProductEvent = EventOf<'product.defined', Product> | EventOf<'product.priced', Product>;

/** Null until it is defined. */
export type ProductState = Product | null;

/** Partitions' worth of keys: products have no shop in common that would need their order. */
const BUCKETS = 8;

/**
 * Bytes of a product as JSON. The document of a stream holds up to two pages of 16 whole products beside the state and
 * must stay below 400 KB, the most that DynamoDB takes.
 */
export const MOST_BYTES = 10_000;

export const products: StreamKind<ProductState, ProductEvent> = {
  name: 'product',
  initial: null,
  evolve: (_, event) => event.data,
  retention: 'paged',
  topic: 'products',
  partitionKey: (id) => `products-${bucketOf(id, BUCKETS)}`,
};

/** A product that is new to the catalogue. */
export function define(product: ProductState, draft: ProductDraft): Decision<ProductEvent> {
  return product ? refuse('ALREADY_EXISTS', { sku: product.sku }) : put(product, draft);
}

/** New or known, whichever it is. */
export function put(product: ProductState, draft: ProductDraft): Decision<ProductEvent> {
  const data: Product = { ...draft, prices: draft.prices ?? product?.prices ?? [] };
  if (product && hashOf(product) === hashOf(data)) return [];
  return tooLarge(data) ?? [{ type: 'product.defined', data }];
}

/** Sets the price of a shop from an instant on, in place of one for the same shop and instant. */
export function price(product: ProductState, wish: Price): Decision<ProductEvent> {
  if (!product) return refuse('NOT_FOUND');
  const at = product.prices.findIndex((known) => priceKey(known) === priceKey(wish));
  const prices = at < 0 ? [...product.prices, wish] : product.prices.with(at, wish);
  if (hashOf(prices) === hashOf(product.prices)) return [];
  const data = { ...product, prices };
  return tooLarge(data) ?? [{ type: 'product.priced', data }];
}

/** Two prices of one product with the same key contradict each other. */
export function priceKey({ shopId, validFrom }: Price): string {
  return `${beginning(validFrom)} ${shopId}`;
}

/** The price that counts at a shop and an instant: its own before the default, then the newest that has begun. */
export function priceAt({ prices }: Product, shopId: string, at: string): Price | undefined {
  const newest = (shop: string) =>
    prices
      .filter((known) => known.shopId === shop && beginning(known.validFrom) <= Date.parse(at))
      .reduce<Price | undefined>((best, known) => (isNewer(known, best) ? known : best), undefined);
  return newest(shopId) ?? newest('default');
}

function isNewer(price: Price, than: Price | undefined): boolean {
  return than === undefined || beginning(price.validFrom) > beginning(than.validFrom);
}

function beginning(validFrom: string | undefined): number {
  return validFrom === undefined ? Number.NEGATIVE_INFINITY : Date.parse(validFrom);
}

function tooLarge(product: Product): Refusal | undefined {
  if (Buffer.byteLength(JSON.stringify(product)) <= MOST_BYTES) return undefined;
  return refuse('VALIDATION_FAILED', { text: `A product with all its prices may have ${MOST_BYTES} bytes as JSON` });
}
