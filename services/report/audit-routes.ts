// `/audit`: who, what and when, and the walk over the chain.
import { z } from 'zod';
import { isRefusal, refuse } from '#kit/errors';
import { type Api, api, ok } from '#kit/http/api';
import { page, paged, pageOf } from '#kit/http/paging';
import { Instant } from '#kit/time';
import type { Database } from '#kit/views/database';
import type { Anchor, AuditAnchor } from './audit-anchor.ts';
import { auditRows, type Verification, verify } from './audit-query.ts';
import { shopsOf } from './scope.ts';

/** Rows of the chain in one answer: some hundred milliseconds. */
const MOST_VERIFIED = 50_000;

const Row = z
  .strictObject({
    position: z.int(),
    id: z.string(),
    at: z.string(),
    actor: z.string(),
    type: z.string(),
    source: z.string(),
    subject: z.string(),
    stream: z.string(),
    version: z.int(),
    shopId: z.string().nullable(),
    correlationId: z.string(),
    causationId: z.string(),
    changes: z.array(
      z.strictObject({ field: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }),
    ),
    hash: z.string(),
  })
  .meta({ id: 'AuditRow', description: '`changes`: fields of the event against the one before it of its stream.' });

const Position = z.int().min(0);
const Verified = z
  .strictObject({
    intact: z.boolean().meta({ description: 'Nothing wrong in this part' }),
    rows: z.int(),
    position: Position.meta({ description: 'The last position of this part' }),
    next: Position.nullable().meta({ description: 'Where to go on (`after`); null: the chain ends here' }),
    head: z.string().nullable().meta({ description: 'Hash of the last row: keep it with `position` to compare later' }),
    anchor: z
      .strictObject({ position: Position, at: Instant })
      .nullable()
      .meta({ description: 'The end of the chain as it was kept outside of the database; null: not yet' }),
    broken: z.array(z.strictObject({ position: Position, problem: z.enum(['CHANGED', 'REMOVED', 'INSERTED']) })),
  })
  .meta({ id: 'AuditVerification' });

/** `/audit`: who changed what. */
export function auditRoutes(database: Database, anchor: AuditAnchor): Api {
  return api('/audit', { tag: 'audit' })
    .get(
      '',
      {
        summary: 'Who changed what, when and why',
        description: 'Newest first, in the shops that the caller may see.',
        access: { can: 'audit:read' },
        query: z.strictObject({
          subject: z
            .string()
            .min(1)
            .max(300)
            .optional()
            .meta({ description: 'Id of what changed or of the order it was done for, or one stream (`order:<id>`)' }),
          from: Instant.optional().meta({ description: 'First instant' }),
          to: Instant.optional().meta({ description: 'First instant after' }),
          ...paged(z.tuple([Instant, Position])),
        }),
        answers: { 200: pageOf(Row) },
        refusals: ['RANGE_INVALID'],
      },
      async (call) => {
        const shops = shopsOf(call.caller, 'audit:read');
        if (isRefusal(shops)) return shops;
        const { limit, cursor: after, from, to, subject } = call.query;
        if (from !== undefined && to !== undefined && Date.parse(to) < Date.parse(from)) {
          return refuse('RANGE_INVALID', { from, to });
        }
        const rows = await auditRows(database, { subject, from, to, ...shops, after, limit: limit + 1 });
        const items = rows.slice(0, limit);
        const last = items.at(-1);
        return page(call, items, rows.length > limit && last ? [last.at, last.position] : undefined);
      },
    )
    .get(
      '/verify',
      {
        summary: 'Walks the hash chain of the audit',
        description: `At most ${MOST_VERIFIED} rows at once: go on with \`after\` while \`next\` is not null.`,
        access: { can: 'audit:read', everywhere: true },
        query: z.strictObject({ after: Position.default(0), limit: z.int().min(1).max(MOST_VERIFIED).default(20_000) }),
        answers: { 200: Verified },
      },
      async ({ query: { after, limit } }) => {
        const anchored = await anchor.read();
        const { position, rows, ended, broken: found, head } = await verify(database, after, limit);
        const broken = [...found, ...(await anchorBroken(anchored, { after, position, ended, found }))];
        const kept = anchored ? { position: anchored.position, at: anchored.at } : null;
        const next = ended ? null : position;
        return ok({ intact: broken.length === 0, rows, position, next, head, anchor: kept, broken });
      },
    );

  /** The anchored row, if it is in the part that was walked or beyond the end, and is not as it was. */
  async function anchorBroken(
    anchored: Anchor | undefined,
    { after, position, ended, found }: Walked,
  ): Promise<Verification['broken']> {
    if (!anchored || anchored.position <= after || !(ended || anchored.position <= position)) return [];
    const problem = await anchor.problemOf(anchored);
    if (!problem || found.some((each) => each.position === anchored.position)) return [];
    return [{ position: anchored.position, problem }];
  }
}

interface Walked extends Pick<Verification, 'position' | 'ended'> {
  readonly after: number;
  readonly found: Verification['broken'];
}
