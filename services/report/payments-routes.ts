// `/reports/payments` and `/reports/trial-balance`.
import { z } from 'zod';
import { isRefusal, refuse } from '#kit/errors';
import { type Api, api, ok } from '#kit/http/api';
import { Currency } from '#kit/money';
import { Day } from '#kit/time';
import type { Database } from '#kit/views/database';
import { groupBy } from './grouping.ts';
import { type PaymentDimension, paymentDimensions, payments, trialBalance } from './payments-query.ts';
import { MOST_ROWS } from './sales-query.ts';
import { rangeOf, shopsOf } from './scope.ts';

const Sum = z.int();
const PaymentRow = z
  .strictObject({
    shopId: z.string().optional(),
    day: Day.optional(),
    method: z.string().nullable().optional(),
    status: z.string().optional(),
    currency: Currency,
    payments: z.int().min(0),
    amount: Sum,
    captured: Sum,
    refunded: Sum,
    net: Sum,
  })
  .meta({ id: 'PaymentsRow', description: 'Sums over the payments of a group. Money in minor units of `currency`.' });
const Balance = z
  .strictObject({
    currency: Currency,
    debit: Sum,
    credit: Sum,
    balanced: z.boolean(),
    accounts: z.array(z.strictObject({ account: z.string(), debit: Sum, credit: Sum, balance: Sum })),
  })
  .meta({ id: 'TrialBalance', description: 'Minor units of `currency`; a balance is debit less credit.' });

export function paymentRoutes(database: Database): Api {
  return api('/reports', { tag: 'reports' })
    .get(
      '/payments',
      {
        summary: 'Payments by shop, day, method or status',
        description: `Payments that began on these days (UTC), as they stand now. At most ${MOST_ROWS} rows.`,
        access: { can: 'report:read' },
        query: z.strictObject({ from: Day, to: Day, groupBy: groupBy(paymentDimensions, 'shop,day') }),
        answers: { 200: z.strictObject({ items: z.array(PaymentRow) }) },
        refusals: ['RANGE_INVALID', 'RANGE_TOO_WIDE'],
      },
      async ({ query, caller }) => {
        const range = rangeOf(query, caller);
        if (isRefusal(range)) return range;
        const groups = query.groupBy.split(',') as PaymentDimension[];
        const items = await payments(database, { ...range, groupBy: groups });
        if (items) return ok({ items });
        const text = `More than ${MOST_ROWS} rows: ask for fewer days, or group by fewer dimensions`;
        return refuse('RANGE_TOO_WIDE', { text, most: MOST_ROWS });
      },
    )
    .get(
      '/trial-balance',
      {
        summary: 'Debits and credits by currency and account',
        description: 'Everything that was booked up to the end of a day (UTC), in the shops that the caller may see.',
        access: { can: 'report:read' },
        query: z.strictObject({ to: Day.default('2999-12-31').meta({ description: 'Last day, included' }) }),
        answers: { 200: z.strictObject({ items: z.array(Balance) }) },
      },
      async ({ query: { to }, caller }) => {
        const shops = shopsOf(caller, 'report:read');
        return isRefusal(shops) ? shops : ok({ items: await trialBalance(database, { to, ...shops }) });
      },
    );
}
