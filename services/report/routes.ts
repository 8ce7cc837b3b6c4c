// What report answers: sales to people, its lag and the dead letters to tests and watchers.
import { z } from 'zod';
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import { type Api, api, type Caller, internal, ok, type Spec } from '#kit/http/api';
import { Currency } from '#kit/money';
import { Day } from '#kit/time';
import type { Database } from '#kit/views/database';
import type { DeadLetterBook } from './dead-letter-book.ts';
import type { EventLog } from './event-log.ts';
import { type Dimension, dimensions, MOST_ROWS, sales } from './sales-query.ts';
import type { View } from './view.ts';

interface InternalParts {
  readonly eventLog: EventLog;
  readonly book: DeadLetterBook;
  readonly views: readonly View[];
}

const Sum = z.int();
const SalesRow = z
  .strictObject({
    shopId: z.string().optional(),
    day: Day.optional(),
    channel: z.string().optional(),
    sku: z.string().optional(),
    department: z.string().nullable().optional().meta({ description: 'Null: the product had none when it was sold' }),
    currency: Currency,
    orders: z.int().min(0),
    units: Sum,
    gross: Sum,
    discounts: Sum,
    discountsByKind: z.strictObject({ loyalty: Sum, storeCoupon: Sum, manual: Sum }),
    net: Sum,
  })
  .meta({ id: 'SalesRow', description: 'Sums over the orders of a group. Money in minor units of `currency`.' });

const one = `(?:${dimensions.join('|')})`;
const SalesQuestion = z.strictObject({
  from: Day.meta({ description: 'First day, in the time zone of each shop' }),
  to: Day.meta({ description: 'Last day, included' }),
  groupBy: z
    .string()
    .max(100)
    .regex(new RegExp(`^${one}(?:,${one})*$`), `Some of ${dimensions.join(', ')}, separated by commas`)
    .refine((text) => new Set(text.split(',')).size === text.split(',').length, 'None of them twice')
    .default('shop,day')
    .meta({ description: 'How to group, which is also the order of the answer' }),
});

/** `/reports`: what the business asks. */
export function routes({ database }: { readonly database: Database }): Api {
  return api('/reports', { tag: 'reports' }).get(
    '/sales',
    {
      summary: 'Sales by shop, day, channel, sku or department',
      description: `Counts orders that are confirmed or fulfilled now, in the shops that the caller may see. At most ${MOST_ROWS} rows.`,
      access: { can: 'report:read' },
      query: SalesQuestion,
      answers: { 200: z.strictObject({ items: z.array(SalesRow) }) },
      refusals: ['RANGE_INVALID', 'RANGE_TOO_WIDE', 'AMOUNT_TOO_LARGE'],
    },
    async ({ query: { from, to, groupBy }, caller }) => {
      if (to < from) return refuse('RANGE_INVALID', { from, to });
      const shops = shopsOf(caller);
      if (isRefusal(shops)) return shops;
      const items = await sales(database, { from, to, groupBy: groupBy.split(',') as Dimension[], ...shops });
      if (items === 'TOO_MANY') return refuse('RANGE_TOO_WIDE', { most: MOST_ROWS });
      return items === 'TOO_LARGE' ? refuse('AMOUNT_TOO_LARGE') : ok({ items });
    },
  );
}

/** The shops whose figures a caller may see. */
function shopsOf({ shops }: Caller): { shops?: readonly string[] } | Refusal {
  if (shops.includes('*')) return {};
  return shops.length > 0 ? { shops } : refuse('FORBIDDEN');
}

const Lag = z.strictObject({
  /** The end of the log. */
  position: z.int(),
  views: z.array(z.strictObject({ view: z.string(), behind: z.int() })),
  parked: z.array(
    z.strictObject({
      topic: z.string(),
      source: z.string(),
      stream: z.string(),
      version: z.int(),
      reason: z.string(),
    }),
  ),
});
const Counts = z.strictObject({
  items: z.array(z.strictObject({ topic: z.string(), app: z.string(), count: z.int() })),
});

/** `/internal/report`: how far the report is, and what nobody could handle. */
export function internalRoutes({ eventLog, book, views }: InternalParts): Api<Spec> {
  return internal('/report')
    .get('/lag', { summary: 'How far views and log are', answers: { 200: Lag } }, async () =>
      ok({
        position: await eventLog.position(),
        views: await Promise.all(
          views.map(async (view) => ({ view: view.definition.name, behind: await view.behind() })),
        ),
        parked: await eventLog.parked(),
      }),
    )
    .get('/dead-letters', { summary: 'Dead letters by topic and app', answers: { 200: Counts } }, async () =>
      ok({ items: await book.counts() }),
    );
}
