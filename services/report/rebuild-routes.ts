// `/reports/views/<view>/rebuild`: begins one and tells how it goes.
import { z } from 'zod';
import { isRefusal, refuse } from '#kit/errors';
import { type Api, accepted, api, ok } from '#kit/http/api';
import type { Rebuilds } from './rebuilds.ts';

const Count = z.int().min(0);
const Progress = z
  .strictObject({
    view: z.string(),
    id: z.uuid(),
    state: z.enum(['running', 'done']),
    startedAt: z.string(),
    finishedAt: z.string().nullable(),
    position: Count.meta({ description: 'The last event that is in the new table' }),
    end: Count.meta({ description: 'The last event there is' }),
    rows: Count.nullable(),
    hash: z.string().nullable().meta({ description: 'Over all rows, whatever their order' }),
    liveRows: Count.nullable().meta({ description: 'Of the table that was replaced, at the same event' }),
    liveHash: z.string().nullable(),
    skipped: Count.meta({ description: 'Events that no row could be made of' }),
  })
  .meta({ id: 'Rebuild', description: 'A view built anew from the first event, beside the live one.' });

const access = { can: 'report:admin', everywhere: true } as const;

/** A view belongs to all shops: who holds the permission in some of them only may not touch it. */
export function rebuildRoutes(rebuilds: Rebuilds): Api {
  return api('/reports/views', { tag: 'reports' })
    .post(
      '/:view/rebuild',
      {
        summary: 'Builds a view anew from the first event',
        description: `One of ${rebuilds.views.join(', ')}. The live view answers until the new one takes its place.`,
        access,
        answers: { 202: Progress },
        refusals: ['NOT_FOUND', 'REBUILD_RUNNING'],
      },
      async ({ params: { view }, origin }) => {
        const begun = await rebuilds.start(view, origin.actor);
        return isRefusal(begun) ? begun : accepted(begun);
      },
    )
    .get(
      '/:view/rebuild',
      {
        summary: 'How the rebuild of a view goes, or went',
        access,
        answers: { 200: Progress },
        refusals: ['NOT_FOUND'],
      },
      async ({ params: { view } }) => {
        const progress = await rebuilds.progress(view);
        return progress ? ok(progress) : refuse('NOT_FOUND');
      },
    );
}
