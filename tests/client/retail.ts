// The routes of the public surface as typed functions, as far as the tests, the demo data and the replay use them.
import type { Answer, Gateway } from './gateway.ts';

export type Channel = 'web' | 'pos' | 'machine';
export type DiscountKind = 'loyalty' | 'storeCoupon' | 'manual';

export interface Discount {
  readonly kind: DiscountKind;
  readonly amount: number;
}

export interface OrderLineRequest {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice?: number;
  readonly discounts?: readonly Discount[];
}

export type Payment = { readonly method: 'card'; readonly token: string } | { readonly method: 'cash' };

export interface OrderRequest {
  readonly channel: Channel;
  readonly shopId: string;
  readonly customerId?: string;
  readonly occurredAt?: string;
  readonly lines: readonly OrderLineRequest[];
  readonly coupons?: readonly string[];
  readonly payment: Payment;
}

export type OrderStatus = 'placed' | 'confirmed' | 'fulfilled' | 'cancelled';

export interface Order {
  readonly id: string;
  readonly status: OrderStatus;
  readonly channel: Channel;
  readonly shopId: string;
  readonly customerId?: string | null;
  readonly currency: string;
  readonly lines: readonly (Required<OrderLineRequest> & { readonly total: number })[];
  readonly gross: number;
  readonly discounts: number;
  readonly net: number;
  readonly tax: number;
  readonly payment: { readonly status: string };
  readonly cancellation?: { readonly code: string; readonly detail?: unknown };
  readonly occurredAt?: string | null;
  readonly placedAt: string;
  readonly version: number;
}

export interface Price {
  readonly shopId: string;
  readonly amount: number;
  readonly currency: string;
  readonly validFrom?: string;
}

export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly type?: string;
  readonly department?: string;
  readonly category?: string;
  readonly brand?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly prices: readonly Price[];
}

export interface BatchResult {
  readonly sku: string;
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'refused';
  readonly code?: string;
  readonly detail?: unknown;
}

export interface Shop {
  readonly id: string;
  readonly name: string;
  readonly kind: 'store' | 'web' | 'machine' | 'warehouse';
  readonly currency: string;
  readonly timeZone: string;
}

export interface Stock {
  readonly shopId: string;
  readonly sku: string;
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
}

export interface StockLine {
  readonly sku: string;
  readonly quantity: number;
}

export interface Receipt {
  readonly shopId: string;
  readonly lines: readonly StockLine[];
  readonly reference: string;
  readonly reason?: string;
}

export interface PaymentView {
  readonly id: string;
  readonly orderId: string;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly captures: readonly { readonly amount: number }[];
  readonly refunds: readonly { readonly amount: number }[];
}

export interface SalesRow {
  readonly shopId: string;
  readonly day: string;
  readonly currency?: string;
  readonly orders: number;
  readonly units: number;
  readonly gross: number;
  readonly discounts: number;
  readonly discountsByKind: { readonly loyalty: number; readonly storeCoupon: number; readonly manual: number };
  readonly net: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface FacetValue {
  readonly value: string;
  readonly count: number;
}

/** A page of the catalogue; the facets for who asked for them. */
export interface ProductPage extends Page<Product> {
  readonly facets?: Readonly<Record<'department' | 'category' | 'brand', readonly FacetValue[]>>;
}

const FINAL: ReadonlySet<OrderStatus> = new Set(['confirmed', 'fulfilled', 'cancelled']);

/** True once `wait` would answer at once. */
export function isFinal(order: Order): boolean {
  return FINAL.has(order.status);
}

/** Places an order; with `wait` (seconds) the answer is the final one if it is reached in time. */
export function placeOrder(gateway: Gateway, order: OrderRequest, key: string, wait?: number): Promise<Answer<Order>> {
  const headers = wait === undefined ? {} : { prefer: `wait=${wait}` };
  return gateway.call<Order>('POST', '/api/v1/orders', { body: order, key, headers });
}

/** Reads an order, waiting up to `wait` seconds (30 at most) for its final status. */
export function getOrder(gateway: Gateway, id: string, wait?: number): Promise<Answer<Order>> {
  return gateway.call<Order>('GET', `/api/v1/orders/${encodeURIComponent(id)}`, { query: { wait } });
}

/** Follows an order to its final status. @throws {Error} if it is not final within `seconds`. */
export async function followOrder(gateway: Gateway, order: Order, seconds: number): Promise<Order> {
  const deadline = Date.now() + seconds * 1000;
  let current = order;
  while (!isFinal(current)) {
    const left = Math.ceil((deadline - Date.now()) / 1000);
    if (left <= 0) throw new Error(`order ${order.id} is still ${current.status} after ${seconds} s`);
    current = (await getOrder(gateway, order.id, Math.min(left, 10))).body;
  }
  return current;
}

/** Books a receipt. A large one takes a while: the gateway works on it for up to 60 s before it says 503. */
export function bookReceipt(gateway: Gateway, receipt: Receipt, key: string): Promise<Answer<{ id: string }>> {
  return gateway.call<{ id: string }>('POST', '/api/v1/inventory/receipts', { body: receipt, key, timeout: 75_000 });
}

/** Defines up to 500 products; one bad item does not stop the others. */
export async function defineProducts(gateway: Gateway, items: readonly Product[]): Promise<readonly BatchResult[]> {
  const { body } = await gateway.call<{ results: BatchResult[] }>('POST', '/api/v1/products/batch', {
    body: { items },
    repeatable: true,
  });
  return body.results;
}

/** Stock of one sku at one shop. */
export async function getStock(gateway: Gateway, shopId: string, sku: string): Promise<Stock> {
  return (
    await gateway.call<Stock>('GET', `/api/v1/inventory/${encodeURIComponent(shopId)}/${encodeURIComponent(sku)}`)
  ).body;
}

/** Sales by shop and day, both days included. */
export async function salesByShopDay(gateway: Gateway, from: string, to: string): Promise<readonly SalesRow[]> {
  const query = { from, to, groupBy: 'shop,day' };
  return (await gateway.call<{ items: SalesRow[] }>('GET', '/api/v1/reports/sales', { query })).body.items;
}

/** Every item of a list, page by page. */
export async function everyItem<T>(gateway: Gateway, path: string, query: Record<string, string> = {}): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const { body }: Answer<Page<T>> = await gateway.call<Page<T>>('GET', path, {
      query: { limit: 100, ...query, cursor },
    });
    items.push(...body.items);
    cursor = body.next ?? undefined;
  } while (cursor !== undefined);
  return items;
}
