// What a checker answers: nothing, or what is wrong and with what.

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I12';

export interface Violation {
  readonly invariant: Invariant;
  /** The order concerned, where there is one. */
  readonly orderId?: string;
  /** Key of the document, row or intent. */
  readonly subject: string;
  readonly what: string;
}

/** What each invariant says, for the table. I12 is not a state but a deed: see `redelivery.ts`. */
export const INVARIANTS: Readonly<Record<Exclude<Invariant, 'I12'>, string>> = {
  I1: 'stock: 0 <= reserved <= on hand; on hand + sold = received + found + adjusted',
  I2: 'every order that was answered 2xx exists and is final',
  I3: 'one client key, at most one order',
  I4: 'provider: one capture per confirmed order, refunded as its returns say; none or all refunded if cancelled',
  I5: 'ledger: every entry balances per currency; nothing updated or deleted',
  I6: 'no saga stuck, no dead letters',
  I7: 'each undo matches one do',
  I8: 'every view equals the fold of its events',
  I9: 'one notification per order and template',
  I10: 'stream versions gapless, event ids unique',
};
