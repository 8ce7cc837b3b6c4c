// Questions to the payments and the ledger.
import type { Database } from '#kit/views/database';
import { LEDGER, PAYMENTS } from './payments-view.ts';
import { MOST_ROWS } from './sales-query.ts';

/** Days in UTC, both included; `shops` undefined: every shop. */
export interface Range {
  readonly from: string;
  readonly to: string;
  readonly shops?: readonly string[] | undefined;
}

export const paymentDimensions = ['shop', 'day', 'method', 'status'] as const;
export type PaymentDimension = (typeof paymentDimensions)[number];

export interface PaymentRow {
  readonly shopId?: string;
  readonly day?: string;
  /** Null: cancelled before anybody asked for it. */
  readonly method?: string | null;
  readonly status?: string;
  readonly currency: string;
  readonly payments: number;
  readonly amount: number;
  readonly captured: number;
  readonly refunded: number;
  /** `captured` less `refunded`. */
  readonly net: number;
}

const columns: Readonly<Record<PaymentDimension, { name: string; column: string; sort: string }>> = {
  shop: { name: 'shopId', column: 'shop_id', sort: 'shop_id collate "C"' },
  day: { name: 'day', column: 'day', sort: 'day' },
  method: { name: 'method', column: 'method', sort: 'method collate "C"' },
  status: { name: 'status', column: 'status', sort: 'status collate "C"' },
};

/** Undefined: more than {@link MOST_ROWS} rows. @throws {Fault} the database is out of reach */
export async function payments(
  database: Database,
  { from, to, shops, groupBy }: Range & { readonly groupBy: readonly PaymentDimension[] },
): Promise<PaymentRow[] | undefined> {
  const groups = groupBy.map((dimension) => columns[dimension]);
  const rows = await database.query<PaymentRow>(
    `select ${groups.map(({ name, column }) => `${column} as "${name}", `).join('')} currency, count(*) as payments,
       sum(amount) as amount, sum(captured) as captured, sum(refunded) as refunded, sum(captured - refunded) as net
     from ${PAYMENTS}
     where day between $1::date and $2::date and ($3::text[] is null or shop_id = any($3::text[]))
     group by ${[...groups.map(({ column }) => column), 'currency'].join(', ')}
     order by ${[...groups.map(({ sort }) => sort), 'currency collate "C"'].join(', ')}
     limit ${MOST_ROWS + 1}`,
    [from, to, shops ?? null],
  );
  return rows.length > MOST_ROWS ? undefined : rows;
}

export interface AccountBalance {
  readonly account: string;
  /** Sums of what was debited and credited, both zero or more. */
  readonly debit: number;
  readonly credit: number;
  /** `debit` less `credit`. */
  readonly balance: number;
}

export interface TrialBalance {
  readonly currency: string;
  readonly debit: number;
  readonly credit: number;
  readonly balanced: boolean;
  readonly accounts: readonly AccountBalance[];
}

/** What was booked up to a day (included), by currency and account. @throws {Fault} the database is out of reach */
export function trialBalance(database: Database, { to, shops }: Omit<Range, 'from'>): Promise<TrialBalance[]> {
  return database.query<TrialBalance>(
    `select currency, sum(debit) as debit, sum(credit) as credit, sum(debit) = sum(credit) as balanced,
       json_agg(json_build_object('account', account, 'debit', debit, 'credit', credit, 'balance', debit - credit)
         order by account collate "C") as accounts
     from (
       select currency, account, coalesce(sum(amount) filter (where amount > 0), 0) as debit,
         coalesce(-sum(amount) filter (where amount < 0), 0) as credit
       from ${LEDGER} where day <= $1::date and ($2::text[] is null or shop_id = any($2::text[]))
       group by currency, account
     ) by_account
     group by currency order by currency collate "C"`,
    [to, shops ?? null],
  );
}
