// What a composition says wrong is said at the start, not by what never happens.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { silent } from '../log.ts';
import { type FakeSidecar, startFakeSidecar } from '../testing/fake-sidecar.ts';
import { testIssuer } from '../testing/tokens.ts';
import { Database } from '../views/database.ts';
import { Table } from '../views/table.ts';
import { type EventOf, type StreamKind, streamOf } from './aggregate.ts';
import { type Composition, type EventSourced, eventSourced } from './event-sourced.ts';

let fake: FakeSidecar;
beforeAll(async () => {
  fake = await startFakeSidecar();
});
afterAll(() => fake.close());

const service = (composition: Partial<Composition>): EventSourced =>
  eventSourced({ name: 'order', sidecar: fake.client, log: silent, verifier: testIssuer().verifier }, () => ({
    routes: [],
    ...composition,
  }));
const table = () =>
  new Table(new Database(fake.client, 'views-order'), { name: 'rows', columns: { id: 'text', version: 'bigint' } });

describe('a composition is refused', () => {
  test('with a part that none has, by the compiler', () => {
    const parts = { name: 'order', sidecar: fake.client, log: silent, verifier: testIssuer().verifier };
    // @ts-expect-error projection, not projections
    eventSourced(parts, () => ({ routes: [], projection: [] }));
  });

  test('with a topic that is heard twice by its views: one of them would never hear it', () => {
    const projections = ['a', 'b'].map((name) => {
      const other = new Table(table().database, { ...table().definition, name });
      return { topic: 'orders' as const, tables: [{ table: other, rows: { 'order.placed': () => [] } }] };
    });
    expect(() => service({ projections })).toThrow('hears a topic twice');
  });

  test('with a table that two topics fill: their versions have nothing to do with each other', () => {
    const rows = { table: table(), rows: { 'order.placed': () => [] } };
    const paid = { table: table(), rows: { 'payment.captured': () => [] } };
    const projections = [
      { topic: 'orders' as const, tables: [rows] },
      { topic: 'payments' as const, tables: [paid] },
    ];
    expect(() => service({ projections })).toThrow('rows');
  });
});

test('work that changes more documents than every store takes at once fails on every store', async () => {
  const kind: StreamKind<number, EventOf<'x.counted', null>> = {
    ...{ name: 'x', initial: 0, evolve: (count: number) => count + 1, retention: 'inline' },
  };
  const refs = Array.from({ length: 99 }, (_, n) => streamOf(kind, String(n)));
  const { streams, begin, stop } = service({});
  await begin();
  const count = (touch: typeof refs) =>
    streams.execute({
      touch,
      origin: { actor: 'a', correlationId: 'c', causationId: 'x', traceparent: '' },
      decide: (desk) => {
        for (const ref of touch) desk.append(ref, { type: 'x.counted', data: null });
        return 'done';
      },
    });
  await expect(count(refs)).rejects.toThrow('more than a transaction takes');
  expect(await count(refs.slice(1))).toBe('done');
  await stop();
});
