// What staff do with messages that nobody could handle: look, replay, discard. Each act is written down.
import { z } from 'zod';
import { Fault, isRefusal, refuse } from '#kit/errors';
import { type Api, api, type Origin, ok } from '#kit/http/api';
import { page, paged, pageOf } from '#kit/http/paging';
import { isUuid } from '#kit/ids';
import type { DeadLetterBook } from './dead-letter-book.ts';
import { type Doer, messageOf, type Replay } from './replay-letter.ts';

const letter = {
  id: z.uuid(),
  topic: z.string(),
  app: z.string().meta({ description: 'Who gave it up' }),
  reason: z.string(),
  detail: z.string().nullable(),
  attempts: z.int().meta({ description: 'Tries before it was buried, and every replay since' }),
  eventId: z.string().nullable(),
  stream: z.string().nullable(),
  version: z.int().nullable(),
  status: z.enum(['open', 'replayed', 'discarded']),
  receivedAt: z.string(),
};
const LetterView = z.strictObject(letter).meta({ id: 'DeadLetter' });
const ActView = z.strictObject({
  act: z.enum(['replay', 'discard']),
  outcome: z.enum(['replayed', 'refused', 'discarded']),
  ...{ actor: z.string(), reason: z.string(), correlationId: z.string(), at: z.string() },
});
const WholeLetter = z
  .strictObject({
    ...letter,
    message: z.unknown().meta({ description: 'Null: it cannot be read' }),
    acts: z.array(ActView),
  })
  .meta({ id: 'WholeDeadLetter' });
const Reason = z.string().min(1).max(500);
const Why = z.strictObject({ reason: Reason });
const Which = { topic: z.string().max(64).optional(), app: z.string().max(64).optional() };
const Outcome = z.enum(['replayed', 'refused', 'skipped']);

/** Milliseconds of replays in one request; the gateway gives it 6 s. */
const BUDGET = 1_500;

const can = { can: 'report:admin', everywhere: true } as const;

/** `/dead-letters`: for staff of every shop, since letters are of no one shop. */
export function deadLetterRoutes(book: DeadLetterBook, replay: Replay): Api {
  const whole = async (id: string) => {
    const found = isUuid(id) ? await book.read(id) : undefined;
    if (!found) return refuse('NOT_FOUND');
    return ok({ ...found.letter, message: messageOf(found.body) ?? null, acts: found.acts });
  };

  return api('/dead-letters', { tag: 'dead letters' })
    .get(
      '',
      {
        summary: 'Messages that nobody could handle',
        access: can,
        query: z.strictObject({ ...Which, status: letter.status.default('open'), ...paged(z.uuid()) }),
        answers: { 200: pageOf(LetterView) },
        refusals: ['FORBIDDEN'],
      },
      async (call) => {
        const { limit, cursor: after, ...filter } = call.query;
        const found = await book.find({ ...filter, after, limit: limit + 1 });
        const items = found.slice(0, limit);
        return page(call, items, found.length > limit ? items.at(-1)?.id : undefined);
      },
    )
    .get(
      '/:id',
      { summary: 'A dead letter, and what was done with it', access: can, answers: { 200: WholeLetter } },
      ({ params }) => whole(params.id),
    )
    .post(
      '/:id/replay',
      {
        summary: 'Give it back to who gave it up',
        description: 'Once it was replayed, again changes nothing. `attempts` tells whether it was refused again.',
        access: can,
        takes: Why,
        answers: { 200: WholeLetter },
        refusals: ['NOT_FOUND', 'LETTER_SETTLED', 'LETTER_UNREADABLE', 'EARLIER_LETTER_OPEN'],
      },
      async ({ params, body, origin }) => {
        if (!isUuid(params.id)) return refuse('NOT_FOUND');
        const done = await replay(params.id, doer(origin, body.reason));
        return isRefusal(done) ? done : whole(params.id);
      },
    )
    .post(
      '/replay',
      {
        summary: 'Replay open letters, each stream in the order of its versions',
        description: 'Stops at what is refused in a stream. As many as fit in a moment: ask again while `more`.',
        access: can,
        takes: z.strictObject({ ...Which, reason: Reason }),
        answers: {
          200: z.strictObject({
            results: z.array(z.strictObject({ id: z.uuid(), outcome: Outcome })),
            more: z.boolean(),
          }),
        },
      },
      async ({ body: { reason, ...which }, origin }) => {
        return ok(await replayAll(book, replay, which, doer(origin, reason)));
      },
    )
    .post(
      '/:id/discard',
      {
        summary: 'Give it up for good',
        access: can,
        takes: Why,
        answers: { 200: WholeLetter },
        refusals: ['NOT_FOUND', 'LETTER_SETTLED'],
      },
      async ({ params, body, origin }) => {
        const found = isUuid(params.id) ? await book.read(params.id) : undefined;
        if (!found) return refuse('NOT_FOUND');
        const act = { act: 'discard', outcome: 'discarded', ...doer(origin, body.reason) } as const;
        if (found.letter.status === 'replayed') return refuse('LETTER_SETTLED', { status: 'replayed' });
        if (found.letter.status === 'open') await book.settle(found.letter, act);
        return whole(params.id);
      },
    );
}

async function replayAll(
  book: DeadLetterBook,
  replay: Replay,
  which: { readonly topic?: string | undefined; readonly app?: string | undefined },
  by: Doer,
) {
  const end = performance.now() + BUDGET;
  const letters = await book.inOrder(which);
  const stopped = new Set<string>();
  const results: { id: string; outcome: z.output<typeof Outcome> }[] = [];
  for (const { id, app, stream } of letters) {
    if (performance.now() > end) break;
    const of = `${app} ${stream ?? id}`;
    const outcome = stopped.has(of) ? 'skipped' : await tried(() => replay(id, by));
    if (outcome !== 'replayed') stopped.add(of);
    results.push({ id, outcome });
  }
  // What was not replayed stays in front: only progress makes it worth asking again.
  const replayed = results.some(({ outcome }) => outcome === 'replayed');
  return { results, more: replayed && (results.length < letters.length || letters.length === 100) };
}

async function tried(run: () => ReturnType<Replay>): Promise<'replayed' | 'refused' | 'skipped'> {
  try {
    const done = await run();
    return isRefusal(done) ? 'skipped' : done;
  } catch (error) {
    if (error instanceof Fault) return 'skipped';
    throw error;
  }
}

function doer({ actor, correlationId }: Origin, reason: string): Doer {
  return { actor, correlationId, reason };
}
