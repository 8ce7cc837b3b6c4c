// What reaches the sidecar for orders that come alone and for orders that come together.
import { describe, expect, test } from '@jest/globals';
import { shape } from './shape.ts';
import type { Answer } from './sidecar.ts';
import type { Step, Together } from './step.ts';
import { Steps } from './steps.ts';

interface Call {
  readonly what: string;
  readonly body: unknown;
}

/** Steps over a sidecar that has nothing stored and records what it is asked. */
function recorded() {
  const calls: Call[] = [];
  const steps = new Steps(
    async (method, path, body, appId): Promise<Answer> => {
      calls.push({ what: `${method} ${appId ?? path.split('/').slice(3).join('/')}`, body });
      const keys = path.endsWith('/bulk') ? (body as { keys: string[] }).keys : [];
      const text = JSON.stringify(keys.map((key) => ({ key })));
      return { status: 200, etag: undefined, text: path.endsWith('/bulk') ? text : '' };
    },
    'order',
    shape,
  );
  const run = (table: readonly Step[], ...ids: readonly string[]) =>
    Promise.all(ids.map((id) => steps.run(table, { orders: [{ id, lines: [1] }], read: new Map() })));
  return { calls, run, steps };
}

const command: Together = { together: [{ save: ['order'], lane: true }], most: 24 };
const keysOf = ({ body }: Call) =>
  (body as { operations: { request: { key: string } }[] }).operations.map(({ request }) => request.key);

describe('orders that come together', () => {
  test('are saved in one transaction with one lane, which is read with the other lanes', async () => {
    const { calls, run } = recorded();
    await run([command], 'a', 'b', 'c');
    expect(calls.map(({ what }) => what)).toEqual(['POST statestore-order/bulk', 'POST statestore-order/transaction']);
    expect(calls[0]?.body).toMatchObject({ keys: Array.from({ length: 8 }, (_, n) => `lane:${n}`) });
    expect(keysOf(calls[1] as Call)).toEqual(['lane:0', 'order:a', 'order:b', 'order:c']);
  });

  test('are no more in one go than the table says', async () => {
    const { calls, run } = recorded();
    await run([{ ...command, most: 2 }], 'a', 'b', 'c');
    expect(calls.filter(({ what }) => what.endsWith('transaction')).map((call) => keysOf(call).length)).toEqual([3, 2]);
  });

  test('are asked about in one call', async () => {
    const { calls, run } = recorded();
    await run([{ together: [{ call: 'product', path: '/prices' }], inTurn: true }], 'a', 'b');
    expect(calls).toEqual([
      {
        what: 'POST product',
        body: [
          { id: 'a', lines: [1] },
          { id: 'b', lines: [1] },
        ],
      },
    ]);
  });

  test('are looked for in one bulk read, one order alone in a read of its own', async () => {
    const { calls, run } = recorded();
    const glance: Step = { together: [{ load: ['order'] }] };
    await run([glance], 'a', 'b');
    await run([glance], 'c');
    expect(calls.map(({ what }) => what)).toEqual([
      'POST statestore-order/bulk',
      'GET statestore-order/order%3Ac?consistency=strong',
    ]);
  });

  test('are kept in one call, each for a day', async () => {
    const { calls, steps } = recorded();
    const orders = ['a', 'b'].map((id) => ({ id, lines: [1] }));
    await steps.run([{ keep: 'prepared' }], { orders, read: new Map() });
    const metadata = { ttlInSeconds: '86400' };
    expect(calls).toMatchObject([
      {
        what: 'POST statestore-order',
        body: [
          { key: 'prepared:a', metadata },
          { key: 'prepared:b', metadata },
        ],
      },
    ]);
  });
});

describe('a batch of long orders', () => {
  const names = ['reservation', 'item*'] as const;
  const long = (id: string, first: number) => ({ id, lines: Array.from({ length: 40 }, (_, n) => first + n) });
  const batch: readonly Step[] = [{ load: names }, { of: names, folded: [{ load: names }, { save: names }] }];

  test('is saved in as many transactions as it needs, each order in one of them', async () => {
    const { calls, steps } = recorded();
    await steps.run(batch, { orders: [long('a', 0), long('b', 100), long('c', 200)], read: new Map() });
    const saved = calls.slice(1).map(keysOf);
    expect(saved.map(({ length }) => length)).toEqual([82, 41]);
    expect(saved[0]).toEqual(expect.arrayContaining(['reservation:a', 'reservation:b', 'item:0', 'item:139']));
  });

  test('reads again what a transaction of the batch has written', async () => {
    const { calls, steps } = recorded();
    await steps.run(batch, { orders: [long('a', 0), long('b', 100), long('c', 39)], read: new Map() });
    const bulk = calls.filter(({ what }) => what.endsWith('bulk')).map(({ body }) => (body as { keys: string[] }).keys);
    const single = calls.filter(({ what }) => what.startsWith('GET')).map(({ what }) => what);
    expect(bulk).toHaveLength(1);
    expect(single).toEqual(['GET statestore-order/item%3A39?consistency=strong']);
  });
});

test('an outcome that comes before somebody waits for it is not missed', async () => {
  const { run } = recorded();
  await run([{ confirm: true }], 'a');
  await run([{ wait: true }], 'a');
});
