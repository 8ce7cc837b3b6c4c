// `/reports/saga`.
import { z } from 'zod';
import { isRefusal, refuse } from '#kit/errors';
import { type Api, api, ok } from '#kit/http/api';
import { Day } from '#kit/time';
import type { Database } from '#kit/views/database';
import { MOST_ORDERS, saga, stages, stepNames } from './saga-query.ts';
import { rangeOf } from './scope.ts';

const Count = z.int().min(0);
const Saga = z
  .strictObject({
    orders: Count,
    confirmed: Count,
    cancelled: Count,
    open: Count,
    steps: z.array(
      z.strictObject({
        step: z.enum(stepNames as [string, ...string[]]),
        orders: Count,
        p50: Count,
        p95: Count,
        max: Count,
      }),
    ),
    failures: z.array(z.strictObject({ step: z.enum(stages), reason: z.string(), orders: Count })),
  })
  .meta({
    id: 'SagaReport',
    description:
      'Milliseconds between the events of an order: `reserve` placed to reserved, `capture` reserved to captured, `confirm` captured to confirmed, `commit` confirmed to goods out, `whole` placed to confirmed; `reject`, `decline`, `release`, `cancel`, `uncommit` and `refund` on the way back. Failures by the step that did not happen any more.',
  });

export function sagaRoutes(database: Database): Api {
  return api('/reports', { tag: 'reports' }).get(
    '/saga',
    {
      summary: 'How long the steps of orders take, and where orders fail',
      description: `Orders placed on these days of their shop's calendar, at most ${MOST_ORDERS}.`,
      access: { can: 'report:read' },
      query: z.strictObject({ from: Day, to: Day }),
      answers: { 200: Saga },
      refusals: ['RANGE_INVALID', 'RANGE_TOO_WIDE'],
    },
    async ({ query, caller }) => {
      const range = rangeOf(query, caller);
      if (isRefusal(range)) return range;
      const report = await saga(database, range);
      if (report) return ok(report);
      return refuse('RANGE_TOO_WIDE', {
        text: `More than ${MOST_ORDERS} orders: ask for fewer days`,
        most: MOST_ORDERS,
      });
    },
  );
}
