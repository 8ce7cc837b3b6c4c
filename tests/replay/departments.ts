// The report by shop, day and department beside the same sums over the data.
import type { Basket, ProductRow } from '../../stack/demo-data.ts';
import type { Gateway } from '../client/gateway.ts';
import type { SalesRow } from '../client/retail.ts';
import { dayOf, isSelected, type Selection } from './selection.ts';

/** A group whose units or net, in cents, are not those of the data; what is missing is 0. */
export interface Difference {
  readonly group: string;
  readonly expected: { readonly units: number; readonly net: number };
  readonly reported: { readonly units: number; readonly net: number };
}

type DepartmentRow = Pick<SalesRow, 'shopId' | 'day' | 'units' | 'net'> & { readonly department: string | null };

const NOTHING = { units: 0, net: 0 };

/** Every group that differs, and how many there are in all. */
export function compareDepartments(
  baskets: readonly Basket[],
  products: readonly ProductRow[],
  reported: readonly DepartmentRow[],
): { readonly groups: number; readonly differing: Difference[] } {
  const departments = new Map(products.map(({ sku, department }) => [sku, department || null]));
  const expected = new Map<string, { units: number; net: number }>();
  for (const basket of baskets) {
    for (const { sku, quantity, net } of basket.lines) {
      const group = groupOf({ shopId: basket.shopId, day: dayOf(basket), department: departments.get(sku) ?? null });
      const before = expected.get(group) ?? NOTHING;
      expected.set(group, { units: before.units + quantity, net: before.net + net });
    }
  }
  const found = new Map(reported.map((row) => [groupOf(row), { units: row.units, net: row.net }]));
  const groups = [...new Set([...expected.keys(), ...found.keys()])].sort();
  const differing = groups.flatMap((group) => {
    const pair = { expected: expected.get(group) ?? NOTHING, reported: found.get(group) ?? NOTHING };
    const equal = pair.expected.units === pair.reported.units && pair.expected.net === pair.reported.net;
    return equal ? [] : [{ group, ...pair }];
  });
  return { groups: groups.length, differing };
}

/** Sales of the selected days and shops, month by month: a year of them at once is too wide a question. */
export async function salesByDepartment(
  gateway: Gateway,
  selection: Selection,
  shops: ReadonlySet<string>,
): Promise<DepartmentRow[]> {
  const rows: DepartmentRow[] = [];
  for (let from = selection.from; from <= selection.to; from = firstOfNextMonth(from)) {
    const end = lastOfMonth(from);
    const query = { from, to: end < selection.to ? end : selection.to, groupBy: 'shop,day,department' };
    const { body } = await gateway.call<{ items: DepartmentRow[] }>('GET', '/api/v1/reports/sales', { query });
    rows.push(...body.items.filter((row) => shops.has(row.shopId) && isSelected(selection, row)));
  }
  return rows;
}

function firstOfNextMonth(day: string): string {
  return monthEnd(day, 1);
}

function lastOfMonth(day: string): string {
  return monthEnd(day, 0);
}

/** So many days after the last day of the day's month. */
function monthEnd(day: string, after: number): string {
  return new Date(Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)), after)).toISOString().slice(0, 10);
}

function groupOf({ shopId, day, department }: Pick<DepartmentRow, 'shopId' | 'day' | 'department'>): string {
  return `${shopId} ${day} ${department ?? '(none)'}`;
}
