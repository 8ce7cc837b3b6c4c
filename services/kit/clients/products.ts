// Asks the product service what skus are and cost, many in one call.
import type { Sidecar } from '../dapr/sidecar.ts';
import { Fault } from '../errors.ts';

/** A sku at a shop now. Without `amount` it has no price there: it cannot be sold. */
export interface PricedProduct {
  readonly sku: string;
  readonly known: boolean;
  /** Minor units of `currency`. */
  readonly amount?: number;
  readonly currency?: string;
  readonly department?: string;
  readonly name?: string;
}

/** Skus in one call. */
const MOST = 500;

/** Prices by sku. @throws {Fault} the product service gave no answer. */
export type FindProducts = (shopId: string, skus: readonly string[]) => Promise<ReadonlyMap<string, PricedProduct>>;

export function productsOf(sidecar: Sidecar): FindProducts {
  return async (shopId, skus) => {
    const distinct = [...new Set(skus)];
    const found = new Map<string, PricedProduct>();
    for (let start = 0; start < distinct.length; start += MOST) {
      const body = { shopId, skus: distinct.slice(start, start + MOST) };
      const reply = await sidecar.invoke('product', 'POST', '/internal/prices', { body, timeout: 4_000 });
      if (reply.status !== 200) throw new Fault(`product answered ${reply.status}`);
      const { prices } = JSON.parse(reply.body.toString('utf8')) as { prices: PricedProduct[] };
      for (const price of prices) found.set(price.sku, price);
    }
    return found;
  };
}
