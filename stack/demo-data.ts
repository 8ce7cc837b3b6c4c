// Reads the extract of real baskets in data/complete-journey and says what it means as shops and products of this system.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Product, Shop } from '../tests/client/retail.ts';

/** One line of a basket; money in cents, discounts positive. */
export interface BasketLine {
  readonly sku: string;
  readonly quantity: number;
  /** What the shop earns: gross less loyalty discount and store coupon. */
  readonly net: number;
  readonly loyaltyDiscount: number;
  readonly storeCoupon: number;
  /** A tender: paid by the maker, not taken off the price. */
  readonly manufacturerCoupon: number;
}

export interface Basket {
  readonly basketId: string;
  readonly shopId: string;
  readonly customerId: string;
  /** The shop's local clock written as UTC. */
  readonly time: string;
  readonly lines: readonly BasketLine[];
}

/** A product as the data has it; texts may be empty. */
export interface ProductRow {
  readonly sku: string;
  readonly manufacturerId: string;
  readonly brand: string;
  readonly department: string;
  readonly category: string;
  readonly type: string;
  readonly packageSize: string;
  /** The commonest list price, cents. */
  readonly listPrice: number;
}

/** The data's own totals of one shop and day, cents. */
export interface ExpectedRow {
  readonly shopId: string;
  readonly day: string;
  readonly baskets: number;
  readonly units: number;
  readonly net: number;
  readonly loyaltyDiscount: number;
  readonly storeCoupon: number;
}

const FOLDER = new URL('../data/complete-journey/', import.meta.url);
const CURRENCY = 'USD';

/** All baskets, by time. */
export function readBaskets(): Basket[] {
  return lines('baskets.ndjson.gz');
}

/** All products that any basket has. */
export function readProducts(): ProductRow[] {
  return lines('products.ndjson.gz');
}

/** What a replay has to arrive at, by shop and day. */
export function readExpected(): ExpectedRow[] {
  return JSON.parse(readFileSync(new URL('expected-by-shop-day.json', FOLDER), 'utf8'));
}

/** A row as a product of the catalogue. The data has no names: type and package size are what a shelf label would say. */
export function productOf(row: ProductRow): Product {
  const { sku, type, department, category, brand, listPrice } = row;
  return {
    sku,
    name: [capitals(type), row.packageSize].filter(Boolean).join(', '),
    type,
    department,
    category,
    brand,
    attributes: { manufacturerId: row.manufacturerId, ...(row.packageSize && { packageSize: row.packageSize }) },
    prices: [{ shopId: 'default', amount: listPrice, currency: CURRENCY }],
  };
}

/** The shops of the data, by id. Their days are taken as they stand, so their zone is UTC. */
export function storesOf(baskets: readonly Basket[]): Shop[] {
  const ids = [...new Set(baskets.map(({ shopId }) => shopId))].sort();
  return ids.map((id) => ({
    id,
    name: `Store ${id.replace(/^shop-/, '')}`,
    kind: 'store',
    currency: CURRENCY,
    timeZone: 'UTC',
  }));
}

/** Units sold by sku, most first; equal ones by sku, so that every start picks the same. */
export function unitsSold(baskets: readonly Basket[]): { sku: string; quantity: number }[] {
  const units = new Map<string, number>();
  for (const { lines: sold } of baskets)
    for (const { sku, quantity } of sold) units.set(sku, (units.get(sku) ?? 0) + quantity);
  return [...units]
    .map(([sku, quantity]) => ({ sku, quantity }))
    .sort((a, b) => b.quantity - a.quantity || (a.sku < b.sku ? -1 : 1));
}

function lines<T>(file: string): T[] {
  const text = gunzipSync(readFileSync(new URL(file, FOLDER))).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

function capitals(text: string): string {
  return text
    .toLowerCase()
    .replace(/(^|[^a-z'])([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}
