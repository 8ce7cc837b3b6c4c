// The sales report: the view's rows, summed by whatever the caller groups by.
import type { Database } from '#kit/views/database';
import { sumsOf } from './folding.ts';
import { levels } from './sales-sums.ts';
import { SALES } from './sales-view.ts';

export const dimensions = ['shop', 'day', 'channel', 'sku', 'department'] as const;
export type Dimension = (typeof dimensions)[number];

/** More rows than this are not answered. */
export const MOST_ROWS = 10_000;

export interface SalesQuestion {
  /** Days, both included, `YYYY-MM-DD`. */
  readonly from: string;
  readonly to: string;
  /** One or more, none twice; also the order of the answer. */
  readonly groupBy: readonly Dimension[];
  /** Undefined: every shop. */
  readonly shops?: readonly string[] | undefined;
}

export interface SalesRow {
  readonly shopId?: string;
  readonly day?: string;
  readonly channel?: string;
  readonly sku?: string;
  /** Null: the product had no department when it was sold. */
  readonly department?: string | null;
  readonly currency: string;
  readonly orders: number;
  readonly units: number;
  readonly gross: number;
  readonly discounts: number;
  readonly discountsByKind: { readonly loyalty: number; readonly storeCoupon: number; readonly manual: number };
  readonly net: number;
  /** What an order of the group brings on average, `net` by `orders`, in minor units rounded half away from zero. */
  readonly averageBasket: number;
}

/** The name of each dimension in the answer, its column, and how it is sorted. */
const columns: Readonly<Record<Dimension, { name: string; column: string; sort: string }>> = {
  shop: { name: 'shopId', column: 'shop_id', sort: 'shop_id collate "C"' },
  day: { name: 'day', column: 'day', sort: 'day' },
  channel: { name: 'channel', column: 'channel', sort: 'channel collate "C"' },
  sku: { name: 'sku', column: 'sku', sort: 'sku collate "C"' },
  department: { name: 'department', column: 'department', sort: 'department collate "C"' },
};
const sums = ['units', 'gross', 'discounts', 'loyalty', 'store_coupon', 'manual', 'net'] as const;

/** The statement for a grouping. Only words of ours become SQL; what the client gave are parameters. */
function sqlOf(groupBy: readonly Dimension[]): string {
  const groups = groupBy.map((dimension) => columns[dimension]);
  const level = groupBy.includes('sku') ? 'sku' : groupBy.includes('department') ? 'department' : 'order';
  return `
    select ${groups.map(({ name, column }) => `${column} as "${name}", `).join('')} currency,
      sum(orders)::bigint as orders,
      ${sums.map((sum) => `sum(${sum})::text as ${sum}`).join(', ')},
      round(sum(net) / sum(orders))::text as average
    from ${sumsOf(SALES)}
    where level = ${levels[level]} and day between $1::date and $2::date
      and ($3::text[] is null or shop_id = any($3::text[]))
    group by ${[...groups.map(({ column }) => column), 'currency'].join(', ')}
    having sum(orders) > 0
    order by ${[...groups.map(({ sort }) => sort), 'currency collate "C"'].join(', ')}
    limit ${MOST_ROWS + 1}`;
}

type Summed = Record<(typeof sums)[number] | 'average', string> & Pick<SalesRow, 'currency' | 'orders'>;

/**
 * The rows, sorted by the group. `TOO_MANY`: more than {@link MOST_ROWS}. `TOO_LARGE`: a sum leaves the integers that a
 * JSON number holds exactly. @throws {Fault} the database is out of reach
 */
export async function sales(
  database: Database,
  question: SalesQuestion,
): Promise<SalesRow[] | 'TOO_MANY' | 'TOO_LARGE'> {
  const { from, to, groupBy, shops } = question;
  const rows = await database.query<Summed>(sqlOf(groupBy), [from, to, shops ?? null]);
  if (rows.length > MOST_ROWS) return 'TOO_MANY';
  const exact = rows.every((row) => sums.every((sum) => Number.isSafeInteger(Number(row[sum]))));
  return exact ? rows.map((row) => answerOf(row)) : 'TOO_LARGE';
}

function answerOf({
  units,
  gross,
  discounts,
  loyalty,
  store_coupon,
  manual,
  net,
  average,
  ...group
}: Summed): SalesRow {
  return {
    ...group,
    units: Number(units),
    gross: Number(gross),
    discounts: Number(discounts),
    discountsByKind: { loyalty: Number(loyalty), storeCoupon: Number(store_coupon), manual: Number(manual) },
    net: Number(net),
    averageBasket: Number(average),
  };
}
