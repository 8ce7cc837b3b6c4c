// I5: the double-entry ledger. Entries are insert-only documents; each balances per currency in whole minor units.
import type { StoredRow } from './stores.ts';
import type { Violation } from './violation.ts';

interface Entry {
  readonly currency: string;
  /** Minor units; a debit is positive, a credit negative. */
  readonly lines: readonly { readonly account: string; readonly amount: number }[];
}

/** Checks every document whose key begins with `ledger:`. */
export function checkLedger(rows: readonly StoredRow[]): Violation[] {
  const found: Violation[] = [];
  for (const { key, value, updated } of rows) {
    if (!key.startsWith('ledger:')) continue;
    const { currency, lines } = value as Entry;
    const wrong = (what: string) => found.push({ invariant: 'I5', subject: key, what });
    if (updated) wrong('was changed after it was written');
    if (lines.length < 2) wrong(`has ${lines.length} lines`);
    if (!lines.every(({ amount }) => Number.isSafeInteger(amount))) wrong('has an amount that is no whole number');
    const sum = lines.reduce((total, { amount }) => total + amount, 0);
    if (sum !== 0) wrong(`is off balance by ${sum} ${currency}`);
  }
  return found;
}

/** What the streams say was moved for a payment. */
export interface Moved {
  readonly paymentId: string;
  readonly captured: number;
  /** Of a cancelled order. */
  readonly refunded: number;
  /** By return. */
  readonly returned?: ReadonlyMap<string, number>;
}

/** Every movement of money has its entry, and every entry its movement: nothing is missing, deleted or made up. */
export function checkEntries(rows: readonly StoredRow[], payments: readonly Moved[]): Violation[] {
  const found: Violation[] = [];
  const entries = new Map(
    rows.filter(({ key }) => key.startsWith('ledger:')).map(({ key, value }) => [key, value as Entry]),
  );
  for (const { paymentId, captured, refunded, returned = [] } of payments) {
    const parts = [...returned].map(([returnId, amount]) => [`return:${returnId}`, amount] as const);
    for (const [kind, amount] of [['capture', captured], ['refund', refunded], ...parts] as const) {
      const key = `ledger:${paymentId}:${kind}`;
      const booked = entries.get(key)?.lines.reduce((sum, line) => sum + Math.max(line.amount, 0), 0) ?? 0;
      entries.delete(key);
      if (booked !== amount)
        found.push({ invariant: 'I5', subject: key, what: `books ${booked}, the payment says ${amount}` });
    }
  }
  for (const key of entries.keys()) found.push({ invariant: 'I5', subject: key, what: 'is an entry of no payment' });
  return found;
}
