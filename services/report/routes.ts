// What report answers: sales to people, its lag and the dead letters to tests and watchers.
import { z } from 'zod';
import { isRefusal, refuse } from '#kit/errors';
import { type Api, api, internal, ok, type Spec } from '#kit/http/api';
import { Currency } from '#kit/money';
import { Day } from '#kit/time';
import type { Database } from '#kit/views/database';
import type { DeadLetterBook } from './dead-letter-book.ts';
import type { EventLog } from './event-log.ts';
import { groupBy } from './grouping.ts';
import type { LiveViews } from './live-views.ts';
import { type Dimension, dimensions, MOST_ROWS, sales } from './sales-query.ts';
import { rangeOf } from './scope.ts';

interface InternalParts {
  readonly eventLog: EventLog;
  readonly book: DeadLetterBook;
  readonly views: LiveViews;
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
    averageBasket: Sum.meta({ description: '`net` by `orders`, rounded' }),
  })
  .meta({ id: 'SalesRow', description: 'Sums over the orders of a group. Money in minor units of `currency`.' });

const SalesQuestion = z.strictObject({
  from: Day.meta({ description: 'First day, in the time zone of each shop' }),
  to: Day.meta({ description: 'Last day, included' }),
  groupBy: groupBy(dimensions, 'shop,day'),
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
      const range = rangeOf({ from, to }, caller);
      if (isRefusal(range)) return range;
      const items = await sales(database, { ...range, groupBy: groupBy.split(',') as Dimension[] });
      if (items === 'TOO_MANY') {
        const text = `More than ${MOST_ROWS} rows: ask for fewer days, or group by fewer of ${groupBy}`;
        return refuse('RANGE_TOO_WIDE', { text, most: MOST_ROWS });
      }
      return items === 'TOO_LARGE' ? refuse('AMOUNT_TOO_LARGE') : ok({ items });
    },
  );
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
        views: [...(await views.behind())].map(([view, behind]) => ({ view, behind })),
        parked: await eventLog.parked(),
      }),
    )
    .get('/dead-letters', { summary: 'Dead letters by topic and app', answers: { 200: Counts } }, async () =>
      ok({ items: await book.counts() }),
    );
}
