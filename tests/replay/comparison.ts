// The report of the system beside the totals of the data, by shop and day, to the cent.
import type { Basket, ExpectedRow } from '../../stack/demo-data.ts';
import type { SalesRow } from '../client/retail.ts';
import { dayOf } from './selection.ts';

/** The figures that are compared, named as the data names them. */
export const FIGURES = ['baskets', 'units', 'net', 'loyaltyDiscount', 'storeCoupon'] as const;
export type Figure = (typeof FIGURES)[number];
export type Figures = Readonly<Record<Figure, number>>;

export interface ComparedRow {
  readonly shopId: string;
  readonly day: string;
  readonly expected: Figures;
  /** All zero when the report has no such row. */
  readonly reported: Figures;
  /** Empty when the row is equal. */
  readonly differing: readonly Figure[];
}

const NOTHING: Figures = { baskets: 0, units: 0, net: 0, loyaltyDiscount: 0, storeCoupon: 0 };

/** Compares every expected row, and every reported one that was not expected, in order of shop and day. */
export function compare(expected: readonly ExpectedRow[], reported: readonly SalesRow[]): ComparedRow[] {
  const rows = new Map<string, { shopId: string; day: string; expected: Figures; reported: Figures }>();
  for (const row of expected)
    rows.set(keyOf(row), { shopId: row.shopId, day: row.day, expected: row, reported: NOTHING });
  for (const row of reported) {
    const known = rows.get(keyOf(row)) ?? { shopId: row.shopId, day: row.day, expected: NOTHING, reported: NOTHING };
    // Rows are split by currency: two of them for one shop and day would be added up.
    rows.set(keyOf(row), { ...known, reported: add(known.reported, figuresOf(row)) });
  }
  return [...rows.values()]
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .map((row) => ({ ...row, differing: FIGURES.filter((figure) => row.expected[figure] !== row.reported[figure]) }));
}

/** The totals of baskets by shop and day, as `expected-by-shop-day.json` has them. */
export function sumByShopDay(baskets: readonly Basket[]): ({ shopId: string; day: string } & Figures)[] {
  const rows = new Map<string, { shopId: string; day: string } & Figures>();
  for (const basket of baskets) {
    const { shopId } = basket;
    const day = dayOf(basket);
    const row = rows.get(keyOf({ shopId, day })) ?? { shopId, day, ...NOTHING };
    rows.set(keyOf({ shopId, day }), { shopId, day, ...add(row, figuresOfBasket(basket)) });
  }
  return [...rows.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function figuresOfBasket({ lines }: Basket): Figures {
  const sum = (of: (line: Basket['lines'][number]) => number) => lines.reduce((total, line) => total + of(line), 0);
  return {
    baskets: 1,
    units: sum((line) => line.quantity),
    net: sum((line) => line.net),
    loyaltyDiscount: sum((line) => line.loyaltyDiscount),
    storeCoupon: sum((line) => line.storeCoupon),
  };
}

function figuresOf({ orders, units, net, discountsByKind }: SalesRow): Figures {
  return {
    baskets: orders,
    units,
    net,
    loyaltyDiscount: discountsByKind.loyalty,
    storeCoupon: discountsByKind.storeCoupon,
  };
}

function add(a: Figures, b: Figures): Figures {
  return Object.fromEntries(FIGURES.map((figure) => [figure, a[figure] + b[figure]])) as Figures;
}

function keyOf({ shopId, day }: { shopId: string; day: string }): string {
  return `${shopId} ${day}`;
}
