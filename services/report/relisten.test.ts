// The log that was heard anew takes the place of the live one: on a real PostgreSQL.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Message } from '#kit/events/message';
import { EventLog } from './event-log.ts';
import { COMPARISON, EXCHANGE, HEARD } from './relisten-sql.ts';
import { life } from './testing/order-events.ts';
import { type ReportBench, startReportBench } from './testing/report-bench.ts';

let bench: ReportBench;
beforeAll(async () => {
  bench = await startReportBench();
}, 60_000);
afterAll(() => bench?.stop());

async function hear(messages: readonly Message[]): Promise<void> {
  const heard = new EventLog(bench.mesh.database, HEARD);
  await heard.create();
  await heard.append(messages);
}
const rows = () =>
  bench.mesh.database.query<{ position: number; stream: string; version: number; actor: string }>(
    'select position, stream, version, actor from events order by position',
  );
const compared = async () => (await bench.mesh.database.query(COMPARISON))[0];
const intact = async () => (await bench.read<{ intact: boolean }>('/audit/verify')).intact;
const byHand = (sql: string) =>
  bench.mesh.database.exec(
    `alter table events disable trigger events_only_grow; ${sql}; alter table events enable trigger events_only_grow`,
  );

test('what the topics say is what was recorded: nothing changes, and the log goes on', async () => {
  const all = ['a', 'b', 'c'].flatMap((id) => life(id));
  await bench.fold(...all);
  const before = await rows();
  await hear(all.toReversed().toSorted((a, b) => a.version - b.version)); // another order than the first time
  expect(await compared()).toEqual({ heard: all.length, live: all.length, missing: 0, found: 0, changed: 0 });
  await bench.mesh.database.exec(EXCHANGE);
  expect(await rows()).toEqual(before);
  const [done] = await bench.mesh.database.query<Record<string, unknown>>(
    `select rows, live_rows, hash = live_hash as equal from view_rebuilds where view = 'events'`,
  );
  expect(done).toEqual({ rows: all.length, live_rows: all.length, equal: true });
  expect(await intact()).toBe(true);
  await bench.fold(...life('d'));
  expect((await rows()).at(-1)).toMatchObject({ stream: 'order:d', position: all.length + life('d').length });
  await expect(bench.mesh.database.exec(`update events set actor = 'x'`)).rejects.toThrow(/only grows/);
  const indexes = await bench.mesh.database.query(
    `select indexname from pg_indexes where tablename = 'events' order by 1`,
  );
  expect(indexes).toEqual(
    ['events_id_key', 'events_pkey', 'events_stream_version_key'].map((indexname) => ({ indexname })),
  );
});

test('what was changed by hand is mended where it stands, what is missing comes at the end, what no topic has is kept', async () => {
  const before = await rows();
  const all = ['a', 'b', 'c', 'd'].flatMap((id) => life(id));
  await byHand(
    `update events set actor = 'nobody' where position = 2; delete from events where stream = 'order:b' and version = 2`,
  );
  expect(await intact()).toBe(false);
  await hear(all.filter(({ stream }) => stream !== 'order:a'));
  expect(await compared()).toMatchObject({ missing: life('a').length, found: 1 });
  await hear(life('a').map((each) => each));
  expect(await compared()).toMatchObject({ missing: 0, found: 1, changed: 1 });
  await bench.mesh.database.exec(EXCHANGE);
  const after = await rows();
  expect(after).toHaveLength(before.length);
  expect(after.find(({ position }) => position === 2)).toEqual(before.find(({ position }) => position === 2));
  expect(after.at(-1)).toMatchObject({ stream: 'order:b', version: 2 });
  expect(after.at(-1)?.position).toBeGreaterThan(before.at(-1)?.position ?? 0);
});
