// Which part of the data a replay sends: a shop, some days, or all of it.
import type { Basket, ExpectedRow } from '../../stack/demo-data.ts';

export interface Selection {
  readonly shopId?: string;
  /** First and last day, both included. */
  readonly from: string;
  readonly to: string;
}

export interface SelectionOptions {
  readonly shop?: string | undefined;
  /** `7` (the first seven days of the data), `2017-01-03`, or `2017-01-03..2017-01-09`. */
  readonly days?: string | undefined;
}

const DAY = /^\d{4}-\d\d-\d\d$/;

/** Reads `--shop` and `--days` against the data. @throws {Error} naming what is possible */
export function selectionOf({ shop, days }: SelectionOptions, baskets: readonly Basket[]): Selection {
  const all = [...new Set(baskets.map(dayOf))].sort();
  const shops = [...new Set(baskets.map(({ shopId }) => shopId))].sort();
  if (shop !== undefined && !shops.includes(shop))
    throw new Error(`--shop ${shop} is not in the data, which has ${shops.join(', ')}`);
  const [from, to] = range(days, all);
  if (from > to || !all.some((day) => day >= from && day <= to)) {
    throw new Error(`--days ${days} selects nothing: the data runs from ${all[0]} to ${all.at(-1)}`);
  }
  return { ...(shop !== undefined && { shopId: shop }), from, to };
}

function range(days: string | undefined, all: readonly string[]): [string, string] {
  const first = all[0] ?? '';
  if (days === undefined) return [first, all.at(-1) ?? ''];
  if (/^[1-9]\d{0,3}$/.test(days)) return [first, addDays(first, Number(days) - 1)];
  const [from = '', to = from] = days.split('..');
  if (!DAY.test(from) || !DAY.test(to))
    throw new Error(
      `--days takes a number of days, a day (2017-01-03) or a range (2017-01-03..2017-01-09), not ${days}`,
    );
  return [from, to];
}

function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The day a basket counts for: its time as it stands. */
export function dayOf(basket: Basket): string {
  return basket.time.slice(0, 10);
}

/** True if the shop and day are selected. */
export function isSelected(selection: Selection, { shopId, day }: Pick<ExpectedRow, 'shopId' | 'day'>): boolean {
  return (
    (selection.shopId === undefined || selection.shopId === shopId) && day >= selection.from && day <= selection.to
  );
}
