// Acts on a letter on a real PostgreSQL: each is written down once, in the log too, whoever acts at the same time.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Act, DeadLetterBook, type Letter } from './dead-letter-book.ts';
import { type ReportBench, startReportBench } from './testing/report-bench.ts';

let bench: ReportBench;
let book: DeadLetterBook;
beforeAll(async () => {
  bench = await startReportBench();
  book = new DeadLetterBook(bench.mesh.database);
}, 60_000);
afterAll(() => bench?.stop());

async function letter(): Promise<Letter> {
  const eventId = randomUUID();
  const body = Buffer.from('{}');
  const where = { topic: 'orders' as const, appId: 'inventory', stream: `order:${eventId}`, version: 1 };
  await book.keep({ ...where, reason: 'DECISION_FAILED', detail: undefined, attempts: 5, eventId, body });
  const found = await book.inOrder({});
  return found.find((each) => each.eventId === eventId) as Letter;
}
const act = (what: Act['act'], outcome: Act['outcome'], n: number) => ({
  ...{ act: what, outcome, actor: `staff-${n}`, reason: 'a test', correlationId: `c-${n}` },
});
const recorded = (id: string) =>
  bench.mesh.database.query<{ version: number; type: string; actor: string }>(
    'select version, type, actor from events where stream = $1 order by version',
    [`dead-letter:${id}`],
  );

test('acts at the same moment are each an act and an event, in one order; nothing follows the one that settles', async () => {
  const open = await letter();
  const tries = [
    ...Array.from({ length: 10 }, (_, n) => act('replay', 'refused', n)),
    ...Array.from({ length: 4 }, (_, n) => act('discard', 'discarded', 10 + n)),
    ...Array.from({ length: 10 }, (_, n) => act('replay', 'refused', 20 + n)),
  ];
  const taken = await Promise.all(tries.map((each) => book.settle(open, each)));
  const events = await recorded(open.id);
  const { acts = [] } = (await book.read(open.id)) ?? {};
  expect(events).toHaveLength(taken.filter(Boolean).length);
  expect(events.map(({ version }) => version)).toEqual(events.map((_, n) => n + 1));
  expect(events.map(({ type, actor }) => [type, actor])).toEqual(
    acts.map(({ outcome, actor }) => [`dead-letter.${outcome}`, actor]),
  );
  expect(events.filter(({ type }) => type === 'dead-letter.discarded')).toHaveLength(1);
  expect(events.at(-1)?.type).toBe('dead-letter.discarded');
  expect(await book.settle(open, act('replay', 'replayed', 99))).toBe(false);
  expect(await recorded(open.id)).toHaveLength(events.length);
});

test('they are chained by the audit like every other change', async () => {
  const open = await letter();
  await book.settle(open, act('replay', 'replayed', 1));
  await bench.service.views.catchUp();
  const { items } = await bench.read<{ items: { type: string }[] }>(`/audit?subject=${open.id}`);
  expect(items.map(({ type }) => type)).toEqual(['dead-letter.replayed']);
  expect((await bench.read<{ intact: boolean }>('/audit/verify')).intact).toBe(true);
});
