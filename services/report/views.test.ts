// The saga, payments, ledger and stock views, and their rebuilds, on a real PostgreSQL.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Message } from '#kit/events/message';
import { silent } from '#kit/log';
import { until } from '../../tests/conformance/until.ts';
import { LiveViews } from './live-views.ts';
import type { AccountBalance, PaymentRow, TrialBalance } from './payments-query.ts';
import { type Progress, Rebuilds } from './rebuilds.ts';
import type { SagaReport } from './saga-query.ts';
import type { StockRow } from './stock-query.ts';
import { life, message, order } from './testing/order-events.ts';
import { type ReportBench, startReportBench } from './testing/report-bench.ts';
import { views as definitions } from './views.ts';

let bench: ReportBench;
beforeAll(async () => {
  bench = await startReportBench();
}, 60_000);
afterAll(() => bench?.stop());

/** A message of some milliseconds after ten o'clock. */
function timed(milliseconds: number, ...[stream, version, type, data, topic]: Parameters<typeof message>): Message {
  const at = new Date(Date.UTC(2026, 2, 1, 10) + milliseconds).toISOString();
  return { ...message(stream, version, type, data, topic), at };
}

const DAY = 'from=2026-03-01&to=2026-03-01';

describe('GET /reports/saga', () => {
  /** The saga of an order that takes so long for each step. */
  function saga(orderId: string, shopId: string, [reserve, capture, confirm, commit]: number[]): Message[] {
    const summary = order(orderId, { shopId });
    const due = { ...summary, paymentId: `p-${orderId}`, amount: summary.net, method: 'card' };
    let at = 0;
    const next = (took: number, ...event: Parameters<typeof message>) => {
      at += took;
      return timed(at, ...event);
    };
    return [
      next(0, `order:${orderId}`, 1, 'order.placed', summary),
      next(reserve ?? 0, `reservation:${orderId}`, 1, 'stock.reserved', { ...summary, lines: [] }, 'inventory'),
      next(capture ?? 0, `payment:p-${orderId}`, 1, 'payment.captured', due, 'payments'),
      next(confirm ?? 0, `order:${orderId}`, 2, 'order.confirmed', summary),
      next(commit ?? 0, `reservation:${orderId}`, 2, 'stock.committed', { ...summary, lines: [] }, 'inventory'),
    ];
  }

  test('tells how long each step takes, whatever order the topics came in', async () => {
    const slow = saga('slow', 'saga', [40, 400, 20, 100]);
    await bench.fold(...saga('fast', 'saga', [10, 100, 10, 50]));
    for (const event of [slow[1], slow[4], slow[2], slow[0], slow[3]].map((each) => each as Message)) {
      if (event.version === 2 && event.type === 'stock.committed') continue; // its stream has an order
      await bench.fold(event);
    }
    await bench.fold(slow[4] as Message);
    const report = await bench.read<SagaReport>(`/reports/saga?${DAY}`, { shops: ['saga'] });
    expect(report).toMatchObject({ orders: 2, confirmed: 2, cancelled: 0, open: 0, failures: [] });
    expect(Object.fromEntries(report.steps.map(({ step, ...figures }) => [step, figures]))).toEqual({
      reserve: { orders: 2, p50: 25, p95: 38, max: 40 },
      capture: { orders: 2, p50: 250, p95: 385, max: 400 },
      confirm: { orders: 2, p50: 15, p95: 20, max: 20 },
      commit: { orders: 2, p50: 75, p95: 98, max: 100 },
      whole: { orders: 2, p50: 290, p95: 443, max: 460 },
    });
  });

  test('tells where orders fail and why, and which are still open', async () => {
    const cancelled = (orderId: string, code: string) => ({
      ...order(orderId, { shopId: 'fail' }),
      cancellation: { code, detail: '' },
      from: 'placed',
    });
    const [placed, reserved, captured] = saga('f-3', 'fail', [1, 1]) as [Message, Message, Message];
    await bench.fold(
      ...[placed, reserved, captured],
      timed(9, 'order:f-3', 2, 'order.cancelled', cancelled('f-3', 'DEADLINE')),
      timed(0, 'order:f-1', 1, 'order.placed', order('f-1', { shopId: 'fail' })),
      timed(5, 'order:f-1', 2, 'order.cancelled', cancelled('f-1', 'STOCK_INSUFFICIENT')),
      ...(saga('f-2', 'fail', [1]).slice(0, 2) as Message[]),
      timed(5, 'order:f-2', 2, 'order.cancelled', cancelled('f-2', 'PAYMENT_DECLINED')),
      timed(0, 'order:f-4', 1, 'order.placed', order('f-4', { shopId: 'fail' })),
    );
    const report = await bench.read<SagaReport>(`/reports/saga?${DAY}`, { shops: ['fail'] });
    expect(report).toMatchObject({ orders: 4, confirmed: 0, cancelled: 3, open: 1 });
    expect(report.failures).toEqual([
      { step: 'confirmation', reason: 'DEADLINE', orders: 1 },
      { step: 'payment', reason: 'PAYMENT_DECLINED', orders: 1 },
      { step: 'stock', reason: 'STOCK_INSUFFICIENT', orders: 1 },
    ]);
  });
});

describe('payments and the trial balance', () => {
  const due = (n: number, more: object = {}) => ({
    ...{ paymentId: `p-${n}`, orderId: `o-${n}`, shopId: 'till', customerId: null, partition: 'till' },
    ...{ amount: 500, currency: 'USD', method: 'card', ...more },
  });
  const booked = (amount: number, account: string) => [
    { account, amount },
    { account: 'sales:till', amount: -amount },
  ];
  const paid = (n: number, version: number, type: string, data: object) =>
    timed(n, `payment:p-${n}`, version, type, data, 'payments');

  test('say what was captured and given back, and balance', async () => {
    const ledger = booked(500, 'card-clearing');
    const back = booked(-500, 'card-clearing');
    await bench.fold(
      paid(1, 1, 'payment.requested', due(1)),
      paid(1, 2, 'payment.captured', { ...due(1), ledger }),
      paid(2, 1, 'payment.requested', due(2)),
      paid(2, 2, 'payment.captured', { ...due(2), ledger }),
      paid(2, 3, 'payment.refund-requested', due(2)),
      paid(2, 4, 'payment.refunded', { ...due(2), ledger: back }),
      paid(3, 1, 'payment.captured', due(3, { method: 'cash', amount: 70 })), // of before lines were told
      paid(4, 1, 'payment.requested', due(4)),
      paid(4, 2, 'payment.failed', due(4)),
      paid(5, 1, 'payment.voided', { ...due(5), method: undefined }),
      paid(6, 1, 'payment.captured', due(6, { currency: 'EUR', amount: 0, ledger: [] })),
    );
    const only = { shops: ['till'] };
    const { items } = await bench.read<{ items: PaymentRow[] }>(`/reports/payments?${DAY}&groupBy=status,method`, only);
    const rows = items.map((row) => [row.status, row.method, row.currency, row.payments, row.captured, row.refunded]);
    expect(rows).toEqual([
      ['captured', 'card', 'EUR', 1, 0, 0],
      ['captured', 'card', 'USD', 1, 500, 0],
      ['captured', 'cash', 'USD', 1, 70, 0],
      ['failed', 'card', 'USD', 1, 0, 0],
      ['refunded', 'card', 'USD', 1, 500, 500],
      ['voided', null, 'USD', 1, 0, 0],
    ]);
    const account = (name: string, debit: number, credit: number): AccountBalance => ({
      ...{ account: name, debit, credit },
      balance: debit - credit,
    });
    expect(await bench.read<{ items: TrialBalance[] }>('/reports/trial-balance', only)).toEqual({
      items: [
        {
          ...{ currency: 'USD', debit: 1_570, credit: 1_570, balanced: true },
          accounts: [
            account('card-clearing', 1_000, 500),
            account('cash:till', 70, 0),
            account('sales:till', 500, 1_070),
          ],
        },
      ],
    });
    expect(await bench.read('/reports/trial-balance?to=2026-02-28', only)).toEqual({ items: [] });
  });
});

describe('GET /reports/stock', () => {
  test('tells level, value, movements and cover, page by page', async () => {
    const line = (sku: string, quantity: number, itemVersion: number, onHand: number, reserved: number, more = {}) => ({
      ...{ sku, quantity, itemVersion, onHand, reserved, sold: 0, ...more },
    });
    const at = new Date().toISOString();
    const moved = (n: number, type: string, lines: object[], more = {}) => ({
      ...message(`stock-${n}:x`, 1, type, { shopId: 'shelf', lines, ...more }, 'inventory'),
      at,
    });
    await bench.fold(
      moved(1, 'stock.received', [line('a', 50, 1, 50, 0, { unitCost: 30 }), line('b', 5, 1, 5, 0)], {
        currency: 'USD',
      }),
      moved(2, 'stock.reserved', [line('a', 8, 2, 50, 8)]),
      moved(3, 'stock.committed', [line('a', 8, 3, 42, 0)]),
      moved(4, 'stock.uncommitted', [line('a', 1, 4, 43, 0)]),
      moved(5, 'stock.adjusted', [line('a', -3, 5, 40, 0)]),
      moved(6, 'stock.found', [{ sku: 'a', quantity: 2 }]),
      moved(7, 'stock.arrived', [line('a', 6, 6, 46, 0)]),
      moved(8, 'stock.dispatched', [line('a', 4, 7, 42, 0)]),
      moved(9, 'stock.written-off', [line('a', 2, 8, 40, 0)]),
      moved(10, 'stock.counted', [line('a', -1, 9, 39, 0)]),
    );
    const read = (query: string, claims = { shops: ['shelf', 'other'] }) =>
      bench.read<{ items: StockRow[]; next: string | null }>(`/reports/stock?${query}`, claims);
    const [a, b] = (await read('days=14')).items;
    expect(a).toEqual({
      ...{ shopId: 'shelf', sku: 'a', onHand: 39, reserved: 0, available: 39, value: 1_170, currency: 'USD' },
      movements: {
        ...{ received: 50, found: 2, adjusted: -3, sold: 7 },
        ...{ counted: -1, transferredIn: 6, transferredOut: 4, writtenOff: 2 },
      },
      daysOfCover: 78,
    });
    expect(b).toMatchObject({ sku: 'b', onHand: 5, value: null, currency: null, daysOfCover: null });
    const first = await read('limit=1');
    expect(first.items).toMatchObject([{ sku: 'a' }]);
    expect(await read(`limit=1&cursor=${first.next}`)).toMatchObject({ items: [{ sku: 'b' }], next: null });
    expect((await read('', { shops: ['other'] })).items).toEqual([]);
  });

  test('an older line that comes later changes nothing', async () => {
    const line = { sku: 'late', quantity: 1, reserved: 0, sold: 0 };
    const event = (n: number, itemVersion: number, onHand: number) =>
      message(
        `late-${n}:x`,
        1,
        'stock.committed',
        { shopId: 'late', lines: [{ ...line, itemVersion, onHand }] },
        'inventory',
      );
    await bench.fold(event(1, 7, 3));
    await bench.fold(event(2, 6, 4));
    const { items } = await bench.read<{ items: StockRow[] }>('/reports/stock', { shops: ['late'] });
    expect(items).toMatchObject([{ onHand: 3 }]);
  });
});

describe('a rebuild', () => {
  const path = (view: string) => `/reports/views/${view}/rebuild`;
  const begin = (view: string, claims = {}) => bench.ask(path(view), claims, 'post');
  const done = async (view: string): Promise<Progress> => {
    await until(async () => (await bench.read<Progress>(path(view))).state === 'done', 20_000);
    return bench.read<Progress>(path(view));
  };
  const rowsOf = (table: string) => bench.mesh.database.query(`select kept::text from ${table} kept order by 1`);

  test.each(definitions)('of $name gives the same rows, while it is read and written', async ({ name, table }) => {
    const before = await rowsOf(table);
    expect(before.length).toBeGreaterThan(0);
    let reading = true;
    const reads = (async () => {
      while (reading) await bench.mesh.database.query(`select count(*) from ${table}`);
    })();
    expect((await begin(name)).status).toBe(202);
    const { rows, hash, liveRows, liveHash, position, end } = await done(name);
    reading = false;
    await reads;
    expect([rows, hash, position]).toEqual([liveRows, liveHash, end]);
    expect(await rowsOf(table)).toEqual(before);
  });

  test('leaves indexes and names as they were, however often', async () => {
    const indexes = () =>
      bench.mesh.database.query(
        `select indexname from pg_indexes where tablename like 'sales\\_contributions%' order by 1`,
      );
    const before = await indexes();
    for (let n = 0; n < 2; n += 1) {
      expect((await begin('sales')).status).toBe(202);
      await done('sales');
    }
    expect(await indexes()).toEqual(before);
    expect(before).toHaveLength(2);
  });

  test('mends a view that is wrong, and says that it differed', async () => {
    const before = await rowsOf('sales_contributions');
    for (const table of ['sales_contributions', 'sales_contributions_sums']) {
      await bench.mesh.database.exec(`update ${table} set net = net + 1`);
      await begin('sales');
      const { rows, liveRows, hash, liveHash } = await done('sales');
      expect(rows).toBe(liveRows);
      expect(hash).not.toBe(liveHash);
    }
    expect(await rowsOf('sales_contributions')).toEqual(before);
  });

  test('is begun once: two at a time are refused, other views are not', async () => {
    await bench.mesh.database.exec(
      `update view_rebuilds set state = 'running', holder = 'somebody', beat = now() + interval '1 hour' where view = 'sales'`,
    );
    const second = await begin('sales');
    expect([second.status, second.body.code]).toEqual([409, 'REBUILD_RUNNING']);
    expect((await begin('saga')).status).toBe(202);
    await done('saga');
    // Whoever had it is dead: it is taken over where it stood.
    await bench.mesh.database.exec(`update view_rebuilds set beat = 'epoch' where view = 'sales'`);
    const { rows, liveRows } = await done('sales');
    expect(rows).toBe(liveRows);
  }, 30_000);

  test('goes on where a killed process left it', async () => {
    const lives = Array.from({ length: 400 }, (_, n) => life(`resume-${n}`, { shopId: 'resume' })).flat();
    await bench.fold(...lives);
    await bench.service.rebuilds.stop();
    const first = new Rebuilds(bench.mesh.database, definitions, silent);
    await first.start('sales', 'test');
    await first.stop(); // between two statements, or before the first
    const second = new Rebuilds(bench.mesh.database, definitions, silent);
    await bench.mesh.database.exec(`update view_rebuilds set beat = 'epoch' where view = 'sales'`);
    await second.create();
    const { rows, liveRows, hash, liveHash } = await done('sales');
    expect([rows, hash]).toEqual([liveRows, liveHash]);
    await second.stop();
  });

  test('is for who may administer reports in all shops', async () => {
    expect((await begin('sales', { perm: ['report:read'] })).status).toBe(403);
    expect((await begin('sales', { shops: ['north'] })).status).toBe(403);
    expect((await begin('nothing')).status).toBe(404);
  });
});

test('a view that is added later reads everything from the first event', async () => {
  const [sales] = definitions;
  const late = { ...sales, name: 'late', table: 'late_sales' } as (typeof definitions)[number];
  const views = new LiveViews(bench.mesh.database, [...definitions, late], silent);
  await views.create();
  await views.catchUp();
  await views.stop();
  const sql = (table: string) => `select * from ${table} order by order_id`;
  expect(await bench.mesh.database.query(sql('late_sales'))).toEqual(
    await bench.mesh.database.query(sql('sales_contributions')),
  );
});
