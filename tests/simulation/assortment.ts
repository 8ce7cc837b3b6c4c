// Where is sold and what: a web shop and two stores, few skus that everybody wants, and many for long baskets.
import type { PricedProduct } from '../../services/kit/clients/products.ts';
import type { Shop } from '../../services/kit/clients/shops.ts';

const shop = (id: string, kind: Shop['kind']): [string, Shop] => [
  id,
  { id, name: id, kind, currency: 'USD', timeZone: 'UTC' },
];

export const shops: ReadonlyMap<string, Shop> = new Map([
  shop('web', 'web'),
  shop('north', 'store'),
  shop('south', 'store'),
]);

/** Wanted by everybody. */
export const hot = ['tea', 'milk', 'bread', 'salt'];
/** For baskets that do not fit one transaction. */
export const rare = Array.from({ length: 96 }, (_, n) => `rare-${n}`);

export function productOf(sku: string): PricedProduct {
  return { sku, known: true, amount: 100 + 7 * sku.length, currency: 'USD', department: 'food', name: sku };
}
