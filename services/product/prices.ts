// What other services ask: the price and department of every sku of an order, in one call.
import type { Records } from '#kit/events/records';
import { type ProductEvent, type ProductState, priceAt } from './product.ts';

export interface PricedSku {
  readonly sku: string;
  readonly known: boolean;
  readonly amount?: number;
  readonly currency?: string;
  readonly department?: string | undefined;
  readonly name?: string;
}

/** `at`: ISO 8601; now when left out. */
export interface PriceQuestion {
  readonly shopId: string;
  readonly skus: readonly string[];
  readonly at?: string | undefined;
}

/**
 * For each question one answer per sku, in the order asked; without an amount the product is not for sale there. A bulk
 * read may be a moment old, which a price may be too: the order keeps what it was told.
 */
export async function pricesOf(
  catalogue: Records<ProductState, ProductEvent>,
  questions: readonly PriceQuestion[],
): Promise<{ prices: PricedSku[] }[]> {
  const found = await catalogue.readMany([...new Set(questions.flatMap(({ skus }) => skus))]);
  const now = catalogue.streams.now();
  return questions.map(({ shopId, skus, at = now }) => ({ prices: pricesAt(found, { shopId, skus, at }) }));
}

function pricesAt(
  found: ReadonlyMap<string, { readonly state: ProductState }>,
  { shopId, skus, at }: { shopId: string; skus: readonly string[]; at: string },
): PricedSku[] {
  return skus.map((sku) => {
    const product = found.get(sku)?.state;
    if (!product) return { sku, known: false };
    const { name, department } = product;
    const price = priceAt(product, shopId, at);
    return { sku, known: true, name, department, ...(price && { amount: price.amount, currency: price.currency }) };
  });
}
