// The audit on a real PostgreSQL: what it tells, and that nobody can change it by hand unseen.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Message } from '#kit/events/message';
import type { Anchor } from './audit-anchor.ts';
import type { AuditRow, Verification } from './audit-query.ts';
import { life, message } from './testing/order-events.ts';
import { type ReportBench, startReportBench } from './testing/report-bench.ts';

interface Page {
  items: AuditRow[];
  next: string | null;
}
type Verified = Omit<Verification, 'ended'> & { intact: boolean; next: number | null; anchor: Anchor | null };

let bench: ReportBench;
beforeAll(async () => {
  bench = await startReportBench();
}, 60_000);
afterAll(() => bench?.stop());

const product = (sku: string, name: string, amount: number) => ({ sku, name, prices: [{ shopId: 'default', amount }] });

describe('GET /audit', () => {
  test('tells who changed what and when, and what it was before', async () => {
    await bench.fold(
      { ...message('product:bWlsaw', 1, 'product.defined', product('milk', 'Milk', 90), 'products'), actor: 'ann' },
      { ...message('product:bWlsaw', 2, 'product.defined', product('milk', 'Milk 1 l', 90), 'products'), actor: 'bob' },
    );
    const { items } = await bench.read<Page>('/audit?subject=milk');
    expect(items).toMatchObject([
      {
        actor: 'bob',
        type: 'product.defined',
        subject: 'milk',
        version: 2,
        at: '2026-03-01T10:00:02.000000Z',
        correlationId: 'c',
        changes: [{ field: 'name', before: 'Milk', after: 'Milk 1 l' }],
      },
      { actor: 'ann', version: 1 },
    ]);
    expect(items[1]?.changes.map(({ field, before }) => [field, before])).toEqual([
      ['name', undefined],
      ['prices', undefined],
      ['sku', undefined],
    ]);
  });

  test('tells the story of an order across services, or that of one stream', async () => {
    const orderId = 'o-7';
    await bench.fold(
      ...life(orderId),
      message(
        'payment:p-o-7',
        1,
        'payment.captured',
        { orderId, paymentId: 'p-o-7', shopId: 'north', currency: 'USD', amount: 1, method: 'cash' },
        'payments',
      ),
    );
    const streams = async (subject: string) =>
      (await bench.read<Page>(`/audit?subject=${subject}`)).items.map(({ stream, version }) => `${stream}@${version}`);
    expect((await streams(orderId)).sort()).toEqual(['order:o-7@1', 'order:o-7@2', 'payment:p-o-7@1']);
    expect(await streams('p-o-7')).toEqual(['payment:p-o-7@1']);
    expect(await streams('order:o-7')).toEqual(['order:o-7@2', 'order:o-7@1']);
    expect(await streams('nothing')).toEqual([]);
  });

  test('pages through all of it, newest first, each once, also where instants are equal', async () => {
    const lives = Array.from({ length: 30 }, (_, n) => life(`page-${n}`)).flat();
    await bench.fold(...lives);
    const seen: AuditRow[] = [];
    for (let path: string | undefined = '/audit?limit=7'; path; ) {
      const { items, next }: Page = await bench.read<Page>(path);
      seen.push(...items);
      path = next === null ? undefined : `/audit?limit=7&cursor=${next}`;
    }
    const [count] = await bench.mesh.database.query<{ n: number }>('select count(*) as n from events');
    expect(new Set(seen.map(({ position }) => position)).size).toBe(count?.n);
    expect(seen.length).toBe(count?.n);
    const keys = seen.map(({ at, position }) => `${at} ${String(position).padStart(9, '0')}`);
    expect(keys).toEqual([...keys].sort().reverse());
  });

  test('takes a time and refuses one that ends before it begins', async () => {
    const { items } = await bench.read<Page>('/audit?subject=milk&from=2026-03-01T10:00:02Z&to=2026-03-01T10:00:03Z');
    expect(items.map(({ version }) => version)).toEqual([2]);
    const wrong = await bench.ask('/audit?from=2026-03-01T10:00:02Z&to=2026-03-01T10:00:01Z');
    expect([wrong.status, wrong.body.code]).toEqual([400, 'RANGE_INVALID']);
  });

  test('is for auditors, who see the shops that are theirs', async () => {
    await bench.fold(...life('s-1', { shopId: 'south' }));
    const { items } = await bench.read<Page>('/audit?limit=100', { shops: ['south'] });
    expect(items.map(({ shopId }) => shopId)).toEqual(['south', 'south']);
    expect((await bench.ask('/audit', { perm: ['report:read'] })).status).toBe(403);
    expect((await bench.ask('/audit', { shops: [] })).status).toBe(403);
    expect((await bench.ask('/audit/verify', { shops: ['south'] })).status).toBe(403);
  });
});

describe('GET /audit/verify', () => {
  const verify = (query = '') => bench.read<Verified>(`/audit/verify${query}`);
  /** As somebody with the database's own password would: the trigger that only lets `events` grow is out of the way. */
  const byHand = (sql: string) =>
    bench.mesh.database.exec(`alter table events disable trigger user; ${sql}; alter table events enable trigger user`);
  const end = async () => (await verify()).position;

  test('walks the chain in parts and comes to the same head', async () => {
    const whole = await verify();
    expect(whole).toMatchObject({ intact: true, next: null, broken: [] });
    let rows = 0;
    let head: string | null = null;
    for (let next: number | null = 0; next !== null; ) {
      const part: Verified = await verify(`?after=${next}&limit=5`);
      expect(part.intact).toBe(true);
      rows += part.rows;
      head = part.head ?? head;
      next = part.next;
    }
    expect([rows, head]).toEqual([whole.rows, whole.head]);
  });

  test('makes the same chain again when it is built anew', async () => {
    const { head } = await verify();
    await bench.mesh.database.exec(
      `delete from audit_trail; update view_checkpoints set position = 0 where view = 'audit'`,
    );
    await bench.service.views.catchUp();
    expect(await verify()).toMatchObject({ intact: true, head });
  });

  const copyOf = (table: string) => `create table kept_${table} as select * from ${table}`;
  const restore = (table: string) =>
    byHand(
      `truncate ${table}; insert into ${table} overriding system value select * from kept_${table}; drop table kept_${table}`,
    );

  test.each([
    ['a row is changed', `update audit_trail set shop_id = 'elsewhere' where position = 5`, 5, 'CHANGED'],
    ['a row has another hash', `update audit_trail set hash = sha256('x') where position = 5`, 5, 'CHANGED'],
    ['an event is changed', `update events set actor = 'nobody' where position = 5`, 5, 'CHANGED'],
    [
      'the content of an event is changed',
      `update events set data = data || '{"net": 1}' where position = 5`,
      5,
      'CHANGED',
    ],
    ['a row is removed', 'delete from audit_trail where position = 5', 5, 'REMOVED'],
    ['an event is removed', 'delete from events where position = 5', 5, 'INSERTED'],
    [
      'a row is removed with its event',
      'delete from audit_trail where position = 5; delete from events where position = 5',
      6,
      'CHANGED',
    ],
    [
      'the last row is removed',
      'delete from audit_trail where position = (select max(position) from audit_trail)',
      'last',
      'REMOVED',
    ],
    [
      'the last row is removed with its event',
      'delete from audit_trail where position = (select max(position) from events); delete from events where position = (select max(position) from events)',
      'last',
      'REMOVED',
    ],
    [
      'the first row is removed',
      'delete from audit_trail where position = (select min(position) from audit_trail)',
      1,
      'REMOVED',
    ],
    [
      'a row is put in',
      `insert into audit_trail select 0, at, subject, order_id, shop_id, hash from audit_trail where position = 5`,
      1,
      'CHANGED',
    ],
    [
      'a row is put in at the end',
      `insert into audit_trail select 900000, at, subject, order_id, shop_id, hash from audit_trail where position = 5`,
      900_000,
      'INSERTED',
    ],
    ['everything is removed', 'truncate audit_trail', 1, 'REMOVED'],
  ] as const)('finds it when %s', async (_, sql, where, problem) => {
    const at = where === 'last' ? await end() : where;
    for (const table of ['audit_trail', 'events']) await bench.mesh.database.exec(copyOf(table));
    try {
      await byHand(sql);
      const { intact, broken } = await verify();
      expect(intact).toBe(false);
      expect(broken).toContainEqual({ position: at, problem });
    } finally {
      for (const table of ['audit_trail', 'events']) await restore(table);
    }
    expect((await verify()).intact).toBe(true);
  });

  test('finds it when the end is cut off and the checkpoint set back: the anchor is kept elsewhere', async () => {
    await bench.fold(...life('anchored'));
    await bench.service.anchor.raise();
    const at = await end();
    expect((await verify()).anchor?.position).toBe(at);
    for (const table of ['audit_trail', 'events']) await bench.mesh.database.exec(copyOf(table));
    await byHand(`delete from audit_trail where position = ${at}; delete from events where position = ${at};
      update view_checkpoints set position = ${at - 1} where view = 'audit'`);
    expect((await verify()).broken).toEqual([{ position: at, problem: 'REMOVED' }]);
    await bench.service.anchor.raise(); // which must not take the short chain for the right one
    expect((await verify()).broken).toEqual([{ position: at, problem: 'REMOVED' }]);
    for (const table of ['audit_trail', 'events']) await restore(table);
    await bench.mesh.database.exec(`update view_checkpoints set position = ${at} where view = 'audit'`);
    expect((await verify()).intact).toBe(true);
  });

  test('anchors no row that was put in after the end', async () => {
    await byHand(
      `insert into audit_trail select 900000, at, subject, order_id, shop_id, hash from audit_trail where position = 5`,
    );
    await bench.service.anchor.raise();
    await byHand('delete from audit_trail where position = 900000');
    expect((await verify()).intact).toBe(true);
  });

  test('finds an event that is put in where the chain has already passed', async () => {
    const [first] = life('smuggled') as [Message];
    await bench.mesh.database.exec(
      `select setval(pg_get_serial_sequence('events', 'position'), (select max(position) + 1 from events))`,
    );
    await bench.fold(...life('later'));
    const gap = (await end()) - 2;
    await byHand(
      `insert into events overriding system value
       select ${gap}, '${first.id}'::uuid, topic, source, 'order:smuggled', 1, type, schema_version, at, actor,
         correlation_id, causation_id, traceparent, data from events where position = 5`,
    );
    expect((await verify()).broken).toEqual([{ position: gap, problem: 'REMOVED' }]);
    await byHand(`delete from events where position = ${gap}`);
    expect((await verify()).intact).toBe(true);
  });
});
