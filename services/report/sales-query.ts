// The sales report: the view's rows, summed by whatever the caller groups by.
import type { Database } from '#kit/views/database';
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

/** The name of each dimension in the answer, its column, how it is sorted, and whether it is one of the lines. */
const columns: Readonly<Record<Dimension, { name: string; column: string; sort: string; ofLine?: true }>> = {
  shop: { name: 'shopId', column: 'shop_id', sort: 'shop_id collate "C"' },
  day: { name: 'day', column: 'day', sort: 'day' },
  channel: { name: 'channel', column: 'channel', sort: 'channel collate "C"' },
  sku: { name: 'sku', column: 'line.sku', sort: 'line.sku collate "C"', ofLine: true },
  department: { name: 'department', column: 'line.department', sort: 'line.department collate "C"', ofLine: true },
};
const sums = ['units', 'gross', 'discounts', 'loyalty', 'store_coupon', 'manual', 'net'] as const;

/** The statement for a grouping. Only words of ours become SQL; what the client gave are parameters. */
function sqlOf(groupBy: readonly Dimension[]): string {
  const groups = groupBy.map((dimension) => columns[dimension]);
  const byLine = groups.some(({ ofLine }) => ofLine);
  const lines = `cross join lateral jsonb_to_recordset(lines) as line(sku text, department text, ${sums
    .map((sum) => `${sum} bigint`)
    .join(', ')})`;
  const [of, orders] = byLine ? ['line', 'distinct order_id'] : ['sale', '*'];
  return `
    select ${groups.map(({ name, column }) => `${column} as "${name}", `).join('')} currency,
      count(${orders}) as orders,
      ${sums.map((sum) => `sum(${of}.${sum})::text as ${sum}`).join(', ')},
      round(sum(${of}.net) / count(${orders}))::text as average
    from ${SALES} sale ${byLine ? lines : ''}
    where counted and day between $1::date and $2::date and ($3::text[] is null or shop_id = any($3::text[]))
    group by ${[...groups.map(({ column }) => column), 'currency'].join(', ')}
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
