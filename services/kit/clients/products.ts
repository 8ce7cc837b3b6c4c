// Asks the product service what skus are and cost, many in one call.
import { ask } from '../dapr/ask.ts';
import type { Sidecar } from '../dapr/sidecar.ts';

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
      const question = { to: 'product', method: 'POST', path: '/internal/prices', body, timeout: 4_000 } as const;
      const { prices } = await ask<{ prices: PricedProduct[] }>(sidecar, question);
      for (const price of prices) found.set(price.sku, price);
    }
    return found;
  };
}
