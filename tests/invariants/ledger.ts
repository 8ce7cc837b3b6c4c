// I5: the double-entry ledger. Entries are insert-only documents; each balances per currency in whole minor units.
import type { StoredRow } from './stores.ts';
import type { Violation } from './violation.ts';

interface Posting {
  readonly account: string;
  /** Minor units; debit positive, credit negative. */
  readonly amount: number;
  readonly currency: string;
}

/** Reads the postings of an entry, whichever of the usual shapes it has. */
export type PostingsOf = (entry: unknown) => readonly Posting[];

/** Checks every document whose key begins with `ledger:`. */
export function checkLedger(rows: readonly StoredRow[], postingsOf: PostingsOf): Violation[] {
  const found: Violation[] = [];
  for (const { key, value, updated } of rows) {
    if (!key.startsWith('ledger:')) continue;
    const wrong = (what: string) => found.push({ invariant: 'I5', subject: key, what });
    if (updated) wrong('was changed after it was written');
    const postings = postingsOf(value);
    if (postings.length < 2) wrong(`has ${postings.length} postings`);
    if (!postings.every(({ amount }) => Number.isSafeInteger(amount)))
      wrong('has an amount that is no whole number of minor units');
    for (const [currency, of] of Map.groupBy(postings, (posting) => posting.currency)) {
      const sum = of.reduce((total, { amount }) => total + amount, 0);
      if (sum !== 0) wrong(`is off balance by ${sum} ${currency}`);
    }
  }
  return found;
}
