// From what a client asks for to the lines and totals of an order. Pure.

import type { PricedProduct } from '#kit/clients/products';
import { type Refusal, refuse } from '#kit/errors';
import { total } from '#kit/money';
import type { Discount, OrderLine, OrderSummary } from './order.ts';

export interface WantedLine {
  readonly sku: string;
  readonly quantity: number;
  /** Minor units; a till's own price. */
  readonly unitPrice?: number | undefined;
  readonly discounts?: readonly Discount[] | undefined;
}

/** Minor units of one order: a thousandth of what is exact (2^53), so that sums over many orders stay exact too. */
const MOST_GROSS = 1_000_000_000_000;

type Totals = Pick<OrderSummary, 'lines' | 'gross' | 'discounts' | 'net' | 'tax'>;

/**
 * Prices the lines. Refuses with PRODUCT_UNKNOWN, PRICE_UNKNOWN, CURRENCY_MISMATCH, LINE_TOTAL_NEGATIVE (each with
 * `errors` by line) or AMOUNT_TOO_LARGE.
 */
export function price(
  wanted: readonly WantedLine[],
  products: ReadonlyMap<string, PricedProduct>,
  currency: string,
): Totals | Refusal {
  const lines: OrderLine[] = [];
  for (const [index, line] of wanted.entries()) {
    const product = products.get(line.sku);
    if (!product?.known) return wrong('PRODUCT_UNKNOWN', index, 'sku', 'There is no such product');
    const unitPrice = line.unitPrice ?? product.amount;
    if (unitPrice === undefined) return wrong('PRICE_UNKNOWN', index, 'sku', 'The product has no price here');
    if (line.unitPrice === undefined && product.currency !== currency) {
      return wrong(
        'CURRENCY_MISMATCH',
        index,
        'sku',
        `The price is in ${product.currency}, the shop sells in ${currency}`,
      );
    }
    const discounts = line.discounts ?? [];
    const taken = total(discounts.map(({ amount }) => [amount, 1]));
    const gross = total([[unitPrice, line.quantity]]);
    if (taken === undefined || gross === undefined) return refuse('AMOUNT_TOO_LARGE');
    if (taken > gross) return wrong('LINE_TOTAL_NEGATIVE', index, 'discounts', `${taken} is more than ${gross}`);
    lines.push({
      sku: line.sku,
      quantity: line.quantity,
      unitPrice,
      discounts,
      total: gross - taken,
      department: product.department ?? null,
    });
  }
  const gross = total(lines.map(({ unitPrice, quantity }) => [unitPrice, quantity]));
  const net = total(lines.map((line) => [line.total, 1]));
  if (gross === undefined || net === undefined || gross > MOST_GROSS) return refuse('AMOUNT_TOO_LARGE');
  return { lines, gross, discounts: gross - net, net, tax: 0 };
}

function wrong(code: string, index: number, field: string, detail: string): Refusal {
  return refuse(code, { errors: [{ pointer: `/lines/${index}/${field}`, detail }] });
}
