// Asks the report until it has caught up with the orders.
import { setTimeout as pause } from 'node:timers/promises';
import type { ExpectedRow } from '../../stack/demo-data.ts';
import type { Gateway } from '../client/gateway.ts';
import { salesByShopDay } from '../client/retail.ts';
import { type ComparedRow, compare } from './comparison.ts';
import { isSelected, type Selection } from './selection.ts';

/** Milliseconds without any change in the report after which it is taken as it is. */
const STANDSTILL = 15_000;

export interface Asked {
  readonly expected: readonly ExpectedRow[];
  readonly selection: Selection;
  /** Milliseconds until the report is taken as it is, even while it still moves; two minutes unless told. */
  readonly within?: number;
}

/** Compares when every row is equal, when the report stopped moving, or when the time is over: whichever comes first. */
export async function awaitReport(
  gateway: Gateway,
  { expected, selection, within = 120_000 }: Asked,
): Promise<ComparedRow[]> {
  const wanted = expected.filter((row) => isSelected(selection, row));
  const deadline = Date.now() + within;
  let last = '';
  let moved = Date.now();
  for (;;) {
    const reported = await salesByShopDay(gateway, selection.from, selection.to);
    const rows = compare(
      wanted,
      reported.filter((row) => shopsOf(expected).has(row.shopId) && isSelected(selection, row)),
    );
    if (rows.every(({ differing }) => differing.length === 0)) return rows;
    const now = JSON.stringify(rows);
    if (now !== last) moved = Date.now();
    last = now;
    if (Date.now() > deadline || Date.now() - moved > STANDSTILL) return rows;
    await pause(500);
  }
}

/** Other shops (the web shop of the demo) may have sold on these days too: they are none of ours. */
function shopsOf(expected: readonly ExpectedRow[]): ReadonlySet<string> {
  return new Set(expected.map(({ shopId }) => shopId));
}
