// Prints the comparison: a row per shop and day, what differs below it, totals per shop at the end.
import { type ComparedRow, FIGURES, type Figure, type Figures } from './comparison.ts';

const HEADS: Readonly<Record<Figure, string>> = {
  baskets: 'baskets',
  units: 'units',
  net: 'net',
  loyaltyDiscount: 'loyalty disc.',
  storeCoupon: 'store coupon',
};
const MONEY: ReadonlySet<Figure> = new Set(['net', 'loyaltyDiscount', 'storeCoupon']);
const SHOP = 10;
const DAY = 12;
const WIDTH = 14;

/** The table as lines of text. Figures are the report's; a differing one is followed by what the data says. */
export function tableOf(rows: readonly ComparedRow[]): string[] {
  const head = `${'shop'.padEnd(SHOP)}${'day'.padEnd(DAY)}${FIGURES.map((figure) => HEADS[figure].padStart(WIDTH)).join('')}`;
  const text = [head, '-'.repeat(head.length + 8)];
  for (const row of rows) {
    text.push(`${line(row.shopId, row.day, row.reported)}  ${row.differing.length === 0 ? 'equal' : 'DIFFERS'}`);
    if (row.differing.length > 0)
      text.push(`${''.padEnd(SHOP + DAY)}${FIGURES.map((figure) => wanted(row, figure)).join('')}  expected`);
  }
  text.push('-'.repeat(head.length + 8));
  for (const shopId of new Set(rows.map((row) => row.shopId))) {
    text.push(line(shopId, 'all days', sum(rows.filter((row) => row.shopId === shopId))));
  }
  text.push(line('all', 'all days', sum(rows)));
  return text;
}

function line(shop: string, day: string, figures: Figures): string {
  return `${shop.padEnd(SHOP)}${day.padEnd(DAY)}${FIGURES.map((figure) => shown(figure, figures[figure]).padStart(WIDTH)).join('')}`;
}

function wanted({ differing, expected }: ComparedRow, figure: Figure): string {
  return (differing.includes(figure) ? shown(figure, expected[figure]) : '').padStart(WIDTH);
}

function shown(figure: Figure, value: number): string {
  return MONEY.has(figure) ? (value / 100).toFixed(2) : String(value);
}

function sum(rows: readonly ComparedRow[]): Figures {
  const total = (figure: Figure) => rows.reduce((all, row) => all + row.reported[figure], 0);
  return Object.fromEntries(FIGURES.map((figure) => [figure, total(figure)])) as Figures;
}
