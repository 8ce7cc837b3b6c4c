// Asks the product service what skus are and cost, many in one call.
import { ask } from '../dapr/ask.ts';
import type { Sidecar } from '../dapr/sidecar.ts';
import { Together } from '../together.ts';

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
/** Milliseconds that a question waits for others, under load. */
const LINGER = 5;

/** Prices by sku. @throws {Fault} the product service gave no answer. */
export type FindProducts = (shopId: string, skus: readonly string[]) => Promise<ReadonlyMap<string, PricedProduct>>;

interface PriceQuestion {
  readonly shopId: string;
  readonly skus: readonly string[];
}

/** Questions that come close together go in one call. */
export function productsOf(sidecar: Sidecar): FindProducts {
  const calls = new Together<PriceQuestion, readonly PricedProduct[]>(
    async (questions) => {
      const question = {
        to: 'product',
        method: 'POST',
        path: '/internal/prices',
        body: { questions },
        timeout: 4_000,
      } as const;
      const { answers } = await ask<{ answers: { prices: PricedProduct[] }[] }>(sidecar, question);
      return answers.map(async ({ prices }) => prices);
    },
    { most: 20, mostWeight: MOST, linger: LINGER },
    ({ skus }) => skus.length,
  );

  return async (shopId, skus) => {
    const distinct = [...new Set(skus)];
    const found = new Map<string, PricedProduct>();
    for (let start = 0; start < distinct.length; start += MOST) {
      const prices = await calls.add({ shopId, skus: distinct.slice(start, start + MOST) });
      for (const price of prices) found.set(price.sku, price);
    }
    return found;
  };
}
