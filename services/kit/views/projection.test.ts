import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Fault } from '../errors.ts';
import type { Message } from '../events/message.ts';
import { silent } from '../log.ts';
import { type FakeSidecar, startFakeSidecar } from '../testing/fake-sidecar.ts';
import { type FakeViews, fakeViews } from '../testing/fake-views.ts';
import { Database } from './database.ts';
import { project } from './projection.ts';
import { type Row, Table } from './table.ts';

let fake: FakeSidecar;
let views: FakeViews;
let table: Table;
beforeEach(async () => {
  fake = await startFakeSidecar();
  views = fakeViews();
  fake.bindings.set('views-test', views.binding);
  table = new Table(new Database(fake.client, 'views-test'), {
    name: 'notes',
    columns: { id: 'text', version: 'int', text: 'text' },
  });
  await table.create();
});
afterEach(() => fake.close());

const note = (id: string, text: string | null) =>
  ({ id: `event-${id}`, type: 'note.taken', version: 1, data: { id, text } }) as unknown as Message;

const rows = { 'note.taken': ({ version, data }: Message<never>) => [{ ...(data as object), version }] };
const subscription = () => project({ topic: 'orders', tables: [{ table, rows: rows as never }] }, silent);

test('a message whose values are refused is poison at the fifth try; those beside it are written', async () => {
  const { handle } = subscription();
  const statuses = [];
  for (let attempt = 1; attempt <= 5; attempt++) statuses.push(await handle([note('good', 'x'), note('bad', null)]));
  expect(views.row('notes', 'good')).toMatchObject({ text: 'x' });
  expect(statuses.map(([good]) => good)).toEqual(Array(5).fill('SUCCESS'));
  expect(statuses.map(([, bad]) => bad)).toEqual([
    ...Array(4).fill('RETRY'),
    { poison: 'PROJECTION_FAILED', attempts: 5, detail: expect.any(String) },
  ]);
});

test('a database that reads but cannot write blames no message, however often it is tried', async () => {
  const { handle } = subscription();
  let full = true;
  fake.intercept = (_, __, body) =>
    full && body.includes('insert into')
      ? { status: 500, body: { errorCode: 'ERR', message: 'ERROR: No space left on device (SQLSTATE 53100)' } }
      : undefined;
  for (let attempt = 1; attempt <= 7; attempt++) expect(await handle([note('a', 'x')])).toEqual(['RETRY']);
  full = false;
  expect(await handle([note('a', 'x')])).toEqual(['SUCCESS']);
});

test('a database that takes nothing is not asked again for every message of a batch', async () => {
  let writes = 0;
  fake.intercept = (_, __, body) => {
    if (!body.includes('insert into')) return undefined;
    writes += 1;
    return { status: 500, body: { errorCode: 'ERR', message: 'dial error: connection refused' } };
  };
  const { handle } = subscription();
  expect(await handle([note('a', 'x'), note('b', 'x'), note('c', 'x')])).toEqual(['RETRY', 'RETRY', 'RETRY']);
  expect(writes).toBe(2); // all together, and the first alone
});

test('rows may be read first; what they are read from may be away, and blames no message', async () => {
  const names = new Map<string, string | Error>([['b', 'Bob']]);
  const read = async ({ version, data: { id } }: Message<{ id: string }>): Promise<Row[]> => {
    const text = names.get(id) ?? new Fault('the store is away');
    if (text instanceof Error) throw text;
    return [{ id, version, text }];
  };
  const { handle } = project({ topic: 'orders', tables: [{ table, rows: { 'note.taken': read } }] }, silent);
  for (let n = 0; n < 7; n += 1) expect(await handle([note('a', null), note('b', null)])).toEqual(['RETRY', 'SUCCESS']);
  expect(views.row('notes', 'b')).toMatchObject({ text: 'Bob' });
  names.set('a', 'Ada');
  expect(await handle([note('a', null)])).toEqual(['SUCCESS']);
  names.set('a', new Error('a mistake in our rows'));
  for (let n = 0; n < 4; n += 1) expect(await handle([note('a', null)])).toEqual(['RETRY']);
  expect(await handle([note('a', null)])).toMatchObject([{ poison: 'PROJECTION_FAILED' }]);
});
