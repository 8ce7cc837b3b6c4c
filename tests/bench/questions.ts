// Questions to read models and long streams: the same ones of a young system and of an old one.
import type { Gateway } from '../client/gateway.ts';
import type { Operation } from './load.ts';

export const questionNames = [
  'orders of a shop and status',
  'orders of a customer',
  'sales by day',
  'sales by shop',
  'sales by department',
  'sales by sku',
  'search for a product',
  'search for a word of many',
  'stock of a busy item',
  'stock of a quiet item',
] as const;
export type QuestionName = (typeof questionNames)[number];

/** A quarter, as a question's days. */
export function quarterBefore(now: Date): { from: string; to: string } {
  const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
  return { from: dayOf(now.getTime() - 89 * 86_400_000), to: dayOf(now.getTime()) };
}

/** The questions, put by staff of all shops. `busy` was in half of all orders of its shop, `quiet` in none. */
export function questionsOf(
  admin: Gateway,
  goods: { readonly shopId: string; readonly busy: string; readonly quiet: string },
): Record<QuestionName, Operation> {
  const ask =
    (path: (n: number) => string): Operation =>
    async (n) => {
      const { status } = await admin.send('GET', path(n));
      if (status !== 200) throw new Error(`${path(n)} answered ${status}`);
      return 'done';
    };
  const { from, to } = quarterBefore(new Date());
  const sales = (groupBy: string) => ask(() => `/api/v1/reports/sales?from=${from}&to=${to}&groupBy=${groupBy}`);
  const stock = (sku: string) => ask(() => `/api/v1/inventory/${goods.shopId}/${sku}`);
  return {
    'orders of a shop and status': ask(() => `/api/v1/orders?shopId=${goods.shopId}&status=confirmed&limit=20`),
    'orders of a customer': ask((n) => `/api/v1/orders?customerId=household-${n % 2_500}&limit=20`),
    'sales by day': sales('day'),
    'sales by shop': sales('shop'),
    'sales by department': sales('department'),
    'sales by sku': sales('sku'),
    'search for a product': ask((n) => `/api/v1/products?q=bench-${n % 1_000}&limit=20`),
    'search for a word of many': ask(() => '/api/v1/products?q=product&limit=20'),
    'stock of a busy item': stock(goods.busy),
    'stock of a quiet item': stock(goods.quiet),
  };
}
