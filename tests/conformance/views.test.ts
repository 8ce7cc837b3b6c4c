// PostgreSQL behind the views (bindings.postgresql), with its password by secret. As a state store: postgresql.test.ts.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fault } from '#kit/errors';
import { Database, ValuesRefused } from '#kit/views/database';
import { Table } from '#kit/views/table';
import { type App, type Bench, startBench } from './harness.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { until } from './until.ts';

let bench: Bench;
let postgres: Postgres;
let app: App;
let database: Database;
beforeAll(async () => {
  bench = await startBench({ broker: false });
  postgres = await startPostgres(bench.folder);
  app = await bench.app({ appId: 'payment', resources: postgres.resources });
  database = new Database(app.sidecar, 'views-order');
}, 90_000);
afterAll(async () => {
  await bench?.stop();
  await postgres?.server.kill('SIGINT');
}, 30_000);

/** The binding as daprd has it. */
async function raw(operation: string, sql: string, params?: unknown[]): Promise<{ status: number; text: string }> {
  const metadata = { sql, ...(params && { params: JSON.stringify(params) }) };
  const response = await fetch(`http://127.0.0.1:${app.daprPort}/v1.0/bindings/views-order`, {
    method: 'POST',
    body: JSON.stringify({ operation, metadata }),
  });
  return { status: response.status, text: await response.text() };
}

const isFault = (error: unknown) => error instanceof Fault;

describe('views', () => {
  beforeAll(async () => {
    await database.exec('create table notes (id text primary key, version int not null, body jsonb)');
  });

  const notes = () => database.query<{ id: string; version: number }>('select id, version from notes order by id');

  test('the binding swallows what fails while rows are read: 200 with nothing, or with half', async () => {
    await database.exec(`insert into notes values ('twice', 1, null)`);
    const insert = `insert into notes values ('twice', 2, null) returning id`;
    expect(await raw('query', insert)).toEqual({ status: 200, text: '[]' });
    const half = await raw('query', 'select 1 / (2 - n) from generate_series(1, 2) n');
    expect([half.status, JSON.parse(half.text)]).toEqual([200, [[1]]]);
  });

  test('our query makes a fault of it, and tells it from no rows', async () => {
    await expect(database.query('select 1 / (2 - n) as x from generate_series(1, 2) n')).rejects.toThrow(Fault);
    await expect(database.query('select * from nowhere')).rejects.toThrow(Fault);
    expect(await database.query('select 1 as x where false')).toEqual([]);
    expect(await database.query('select n, n::text as text from generate_series(1, 2) n')).toEqual([
      { n: 1, text: '1' },
      { n: 2, text: '2' },
    ]);
  });

  test('exec tells how many rows it wrote, and its errors with their SQLSTATE', async () => {
    expect(await database.exec(`insert into notes select 'n' || n, 1, null from generate_series(1, 3) n`)).toBe(3);
    expect(await database.exec(`delete from notes where id = 'nobody'`)).toBe(0);
    await expect(database.exec(`insert into notes values ('n1', 1, null)`)).rejects.toThrow(/23505/);
    await expect(database.exec('select 1 / 0')).rejects.toThrow(/22012/);
    await expect(database.exec('no statement')).rejects.toThrow(Fault);
  });

  test('a refusal of the values is told from trouble of the database, however long it is', async () => {
    for (const values of [`'n1', 1, null`, `'x', null, null`, `'x', 1, '{"nul": "\\u0000"}'`])
      await expect(database.exec(`insert into notes values (${values})`)).rejects.toThrow(ValuesRefused);
    const long = database.exec('select $1::int', ['9'.repeat(5_000)]);
    await expect(long).rejects.toThrow(ValuesRefused);
    // What a full disk says; a database that answers `select 1` all the same.
    const full = `do $$ begin raise exception 'no space left (SQLSTATE 23505)' using errcode = 'disk_full'; end $$`;
    for (const sql of [full, 'insert into nowhere values (1)']) {
      const refused = await database.exec(sql).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Fault);
      expect(refused).not.toBeInstanceOf(ValuesRefused);
    }
  });

  test('several statements without parameters are one transaction; with parameters they are refused', async () => {
    const before = await notes();
    const both = `insert into notes values ('m1', 1, null); insert into notes values ('n1', 1, null)`;
    await expect(database.exec(both)).rejects.toThrow(/23505/);
    expect(await notes()).toEqual(before);
    await expect(database.exec('delete from notes where id = $1; select 1', ['n1'])).rejects.toThrow(/42601/);
    expect(await notes()).toEqual(before);
  });

  test('a transaction over two calls is lost without a word', async () => {
    expect((await raw('exec', `begin; insert into notes values ('begun', 1, null)`)).status).toBeLessThan(300);
    expect((await notes()).map(({ id }) => id)).not.toContain('begun');
  });

  test('parameters of every kind; what is above 2^53 goes as text', async () => {
    const sql = `select $1::text as text, $2::int as number, $3::bigint::text as big, $4::jsonb as json,
      $5::text[] as list, $6::text as nothing, $7::boolean as truth, $8::timestamptz as at`;
    const at = '2026-01-02T03:04:05.678Z';
    const [row] = await database.query<Record<string, unknown>>(sql, [
      `'; drop table notes --`,
      -5,
      '9007199254740993',
      { a: [1, 'ä'] },
      ['x', 'y,"z'],
      null,
      true,
      at,
    ]);
    expect(row).toMatchObject({
      text: `'; drop table notes --`,
      number: -5,
      big: '9007199254740993',
      json: { a: [1, 'ä'] },
      list: ['x', 'y,"z'],
      nothing: null,
      truth: true,
    });
    expect(new Date(String(row?.at)).toISOString()).toBe(at);
    const rounded = await raw('query', 'select $1::bigint::text', [2 ** 53 + 2]);
    expect(JSON.parse(rounded.text)).toEqual([['9007199254740994']]);
  });

  test('a table is made once by two replicas, and takes only newer rows, all or none', async () => {
    const columns = { id: 'text', version: 'int', total: 'bigint', lines: 'jsonb?' };
    const tables = [1, 2, 3].map(() => new Table(database, { name: 'orders_view', columns }));
    await Promise.all(tables.map((table) => table.create()));
    const [table] = tables as [Table];
    const row = (id: string, version: number) => ({ id, version, total: version * 100, lines: [{ sku: 'a' }] });
    const hundred = Array.from({ length: 100 }, (_, n) => row(`o${n % 10}`, n));
    await table.write(hundred);
    await table.write(hundred.slice(0, 50));
    const rows = await database.query<{ id: string; version: number }>(
      'select id, version from orders_view order by id',
    );
    expect(rows).toEqual(Array.from({ length: 10 }, (_, n) => ({ id: `o${n}`, version: 90 + n })));
    await expect(table.write([row('o0', 500), { ...row('bad', 1), total: 'no number' }])).rejects.toThrow(Fault);
    expect(await table.reached('o0', 500, 50)).toBe(false);
    expect(await table.reached('o0', 90, 50)).toBe(true);
  });

  test('a table of an earlier version gets what may be null; what may not stops the start, not each row', async () => {
    const name = 'older_view';
    const id = { id: 'text', version: 'bigint' };
    await new Table(database, { name, columns: id }).create();
    const wider = new Table(database, { name, columns: { ...id, note: 'text?' } });
    await wider.create();
    await wider.write([{ id: 'a', version: 1, note: 'new' }]);
    expect(await database.query(`select id, note from ${name}`)).toEqual([{ id: 'a', note: 'new' }]);
    const strict = new Table(database, { name, columns: { ...id, kind: 'text' } });
    await expect(strict.create()).rejects.toThrow(/column .*kind.* does not exist/);
  });

  test('a column that is new is filled from what the rows were made of, unless an event was faster', async () => {
    const columns = { id: 'text', version: 'bigint', source: 'jsonb' };
    const row = (id: string, version: number) => ({ id, version, source: { text: `${id}${version}` } });
    const name = 'remade_view';
    const older = new Table(database, { name, columns });
    await older.create();
    await older.write(Array.from({ length: 1_200 }, (_, n) => row(`r${n}`, 5)));
    const rowOf = (source: { text: string }, version: number) => ({
      ...{ id: source.text.slice(0, -1), version, source },
      text: source.text.toUpperCase(),
    });
    const remake = { lacking: 'text', from: 'source', rowOf };
    const wider = new Table(database, { name, columns: { ...columns, text: 'text?' }, remake });
    await Promise.all([wider.create(), wider.create()]);
    await wider.write([{ ...row('r7', 6), text: 'newer' }]);
    await wider.create();
    const rows = await database.query<{ id: string; version: number; text: string }>(
      `select id, version, text from ${name} where id in ('r7', 'r8') order by id`,
    );
    expect(rows).toEqual([
      { id: 'r7', version: 6, text: 'newer' },
      { id: 'r8', version: 5, text: 'R85' },
    ]);
    expect(await database.query(`select id from ${name} where text is null`)).toEqual([]);
  });

  test('while the server is away every query is a fault; afterwards it finds what was written', async () => {
    const before = await notes();
    await postgres.server.kill('SIGKILL');
    // Backends outlive the killed server for a moment, and answer.
    await until(() => database.query('select 1 as one').then(() => false, isFault));
    await until(() => database.exec('delete from notes where false').then(() => false, isFault));
    await expect(database.query('select 1 as one')).rejects.toThrow(Fault);
    await postgres.server.start();
    // The pools find out about their dead connections one call at a time.
    await until(async () => (await database.query('select 1 as one')).length === 1);
    await until(async () => (await notes()).length > 0);
    expect(await notes()).toEqual(before);
  }, 60_000);
});

describe('secrets', () => {
  test('a secret is read by name, and an unknown one is a fault', async () => {
    expect(await app.sidecar.secret('secretstore', 'provider-api-key')).toBe('sk_test');
    await expect(app.sidecar.secret('secretstore', 'nothing')).rejects.toThrow(Fault);
    await expect(app.sidecar.secret('nowhere', 'provider-api-key')).rejects.toThrow(Fault);
  });
});
