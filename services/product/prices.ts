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

/**
 * One answer per sku, in the order asked; without an amount the product is not for sale there. A bulk read may be a
 * moment old, which a price may be too: the order keeps what it was told.
 */
export async function pricesAt(
  catalogue: Records<ProductState, ProductEvent>,
  { shopId, skus, at }: { shopId: string; skus: readonly string[]; at: string },
): Promise<readonly PricedSku[]> {
  const found = await catalogue.glance(skus);
  return skus.map((sku) => {
    const product = found.get(sku)?.state;
    if (!product) return { sku, known: false };
    const { name, department } = product;
    const price = priceAt(product, shopId, at);
    return { sku, known: true, name, department, ...(price && { amount: price.amount, currency: price.currency }) };
  });
}
