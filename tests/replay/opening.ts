// What the shops need before the first basket: all products, and as much stock as the data sells.
import { type Basket, productOf, readProducts, unitsSold } from '../../stack/demo-data.ts';
import type { Gateway } from '../client/gateway.ts';
import { ProblemError } from '../client/problem.ts';
import { bookReceipt, defineProducts, type Receipt } from '../client/retail.ts';

const PRODUCTS_PER_BATCH = 500;
/** One body may have 20,000 lines and 2 MiB; a line of ours takes about 32 bytes. */
const LINES_PER_RECEIPT = 20_000;

/** Defines every product of the data. Answers how many were new or changed. @throws {Error} one was refused */
export async function defineCatalogue(admin: Gateway, step: () => void = () => {}): Promise<number> {
  const products = readProducts().map(productOf);
  let written = 0;
  for (const batch of chunks(products, PRODUCTS_PER_BATCH)) {
    for (const { sku, outcome, code, detail } of await defineProducts(admin, batch)) {
      if (outcome === 'refused')
        throw new Error(`the catalogue refused product ${sku}: ${code} ${JSON.stringify(detail)}`);
      if (outcome !== 'unchanged') written++;
    }
    step();
  }
  return written;
}

/** How many batches `defineCatalogue` sends. */
export function batchesOfCatalogue(): number {
  return Math.ceil(readProducts().length / PRODUCTS_PER_BATCH);
}

/**
 * The receipts that bring in what each shop sells in the whole data. They do not depend on the selection: the reference
 * names the replay and is booked once, so a replay of one day and then of all books no stock twice.
 */
export function openingReceipts(baskets: readonly Basket[]): Receipt[] {
  const shops = [...new Set(baskets.map(({ shopId }) => shopId))].sort();
  return shops.flatMap((shopId) =>
    chunks(unitsSold(baskets.filter((basket) => basket.shopId === shopId)), LINES_PER_RECEIPT).map((lines, part) => ({
      shopId,
      lines,
      reference: `replay-opening-stock-${part + 1}`,
      reason: 'opening stock of the replay: all that the data sells',
    })),
  );
}

/** Books one receipt; the same one again changes nothing. */
export async function openStock(admin: Gateway, receipt: Receipt): Promise<void> {
  await bookReceipt(admin, receipt, `${receipt.reference}:${receipt.shopId}`);
}

/** True if the receipt is booked (now or before), false if it names products that are yet to be defined. */
export async function hasCatalogue(admin: Gateway, receipt: Receipt): Promise<boolean> {
  try {
    await openStock(admin, receipt);
    return true;
  } catch (error) {
    if (error instanceof ProblemError && (error.status === 404 || error.status === 422)) return false;
    throw error;
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
