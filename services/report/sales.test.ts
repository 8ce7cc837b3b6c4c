// The sales view and its questions on a real PostgreSQL, through the sidecar's binding.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { Fault } from '#kit/errors';
import type { Message } from '#kit/events/message';
import { silent } from '#kit/log';
import { testIssuer } from '#kit/testing/tokens';
import { type ReportService, reportService } from './app.ts';
import { EventLog } from './event-log.ts';
import { LiveViews } from './live-views.ts';
import type { SalesRow } from './sales-query.ts';
import { levels } from './sales-sums.ts';
import { salesView } from './sales-view.ts';
import { life, line, message, order } from './testing/order-events.ts';
import { type ReportMesh, startReportMesh } from './testing/report-mesh.ts';

const issuer = testIssuer();
let bench: ReportMesh;
let eventLog: EventLog;
let service: ReportService;

beforeAll(async () => {
  bench = await startReportMesh({ standIn: true });
  eventLog = new EventLog(bench.database);
  const parts = { name: 'report', log: silent, verifier: issuer.verifier, contracts: { check: () => undefined } };
  service = reportService({ ...parts, sidecar: bench.sidecar, binding: 'views-report' });
  await service.begin();
}, 60_000);
afterAll(async () => {
  await service?.stop();
  await bench?.stop();
});

async function fold(...messages: Message[]): Promise<void> {
  await eventLog.append(messages);
  await service.views.catchUp();
}

async function ask(query: string, claims: Record<string, unknown> = {}): Promise<request.Response> {
  const token = issuer.token({ perm: ['report:read'], shops: ['*'], ...claims });
  return request(service.app.callback()).get(`/api/v1/reports/sales?${query}`).set('authorization', `Bearer ${token}`);
}

async function rowsOf(query: string, claims?: Record<string, unknown>): Promise<SalesRow[]> {
  const { status, body } = await ask(query, claims);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body.items;
}

const contributions = () => bench.database.query('select * from sales_contributions order by order_id');

describe('the event log', () => {
  test('refuses a batch with a jump, a repeat or a second event under the same id, and keeps nothing of it', async () => {
    const [first, second] = life('log-1') as [Message, Message];
    const jump = message('order:log-2', 2, 'order.confirmed', {});
    await expect(eventLog.append([first, second, jump])).rejects.toThrow(/a jump in order:log-2 to 2/);
    expect((await eventLog.heads(['order:log-1'])).get('order:log-1')?.version).toBe(0);
    await eventLog.append([first, second]);
    await expect(eventLog.append([second])).rejects.toThrow(Fault);
    await expect(eventLog.append([{ ...jump, id: first.id, version: 1 }])).rejects.toThrow(/events_id_key/);
    expect((await eventLog.heads(['order:log-1'])).get('order:log-1')?.version).toBe(2);
  });

  test('only grows', async () => {
    for (const sql of ['delete from events', `update events set type = 'x'`, 'truncate events']) {
      await expect(bench.database.exec(sql)).rejects.toThrow(/only grows/);
    }
  });

  test('gives positions in the order of the batch, and commits them in order under many appenders', async () => {
    const streams = Array.from({ length: 40 }, (_, n) => life(`many-${n}`));
    const definition = { ...salesView, name: 'watch', table: 'sales_watch' };
    const watch = new LiveViews(bench.database, [definition], silent);
    await watch.create();
    await Promise.all([...streams.map((events) => eventLog.append(events)), watch.catchUp()]);
    await watch.catchUp();
    const [counted] = await bench.database.query<{ n: number }>(
      `select count(*) as n from sales_watch where order_id like 'many-%'`,
    );
    expect(counted?.n).toBe(40); // none was overtaken by the cursor
    const positions = await bench.database.query<{ version: number }>(
      `select version from events where stream like 'order:many-%' order by split_part(stream, '-', 2)::int, position`,
    );
    expect(positions.map(({ version }) => version)).toEqual(streams.flatMap(() => [1, 2]));
    await watch.stop();
  });
});

describe('the sales view', () => {
  test('counts a confirmed order, and no longer when it is cancelled', async () => {
    const [placed, confirmed, cancelled] = life('c-1', { shopId: 'cancel' }, true) as [Message, Message, Message];
    await fold(placed);
    expect(await rowsOf('from=2026-03-01&to=2026-03-01&groupBy=shop', { shops: ['cancel'] })).toEqual([]);
    await fold(confirmed);
    expect(await rowsOf('from=2026-03-01&to=2026-03-01&groupBy=shop', { shops: ['cancel'] })).toMatchObject([
      { shopId: 'cancel', orders: 1, units: 2, net: 200 },
    ]);
    await fold(cancelled);
    expect(await rowsOf('from=2026-03-01&to=2026-03-01&groupBy=shop', { shops: ['cancel'] })).toEqual([]);
  });

  test('puts a sale on the day of the shop, and where it happened late, on the day it happened', async () => {
    const zone = { shopId: 'zone', timeZone: 'America/New_York' };
    await fold(
      ...life('z-1', { ...zone, occurredAt: '2019-05-02T03:59:59.000Z' }),
      ...life('z-2', { ...zone, occurredAt: '2019-05-02T04:00:00Z' }),
      ...life('z-3', { ...zone, placedAt: '2019-11-03T05:30:00.000Z' }), // the hour that comes twice
      ...life('z-4', { ...zone, timeZone: 'Pacific/Kiritimati', placedAt: '2019-12-31T10:00:00.000Z' }),
    );
    const rows = await rowsOf('from=2019-01-01&to=2020-12-31&groupBy=day', { shops: ['zone'] });
    expect(rows.map(({ day, orders }) => [day, orders])).toEqual([
      ['2019-05-01', 1],
      ['2019-05-02', 1],
      ['2019-11-03', 1],
      ['2020-01-01', 1],
    ]);
  });

  test('adds up the same by every grouping, with currencies apart', async () => {
    const lines = [
      line('milk', 2, 100, {
        discounts: [
          { kind: 'loyalty', amount: 15 },
          { kind: 'loyalty', amount: 5 },
        ],
      }),
      line('milk', 1, 100, { discounts: [{ kind: 'manual', amount: 100 }] }),
      line('nail', 3, 7, { department: null, discounts: [{ kind: 'storeCoupon', amount: 1 }] }),
      line('gift', 1, 0),
    ];
    await fold(
      ...life('s-1', { shopId: 'sums', lines }),
      ...life('s-2', { shopId: 'sums', lines: [line('milk', 1, 90)], channel: 'web' }),
      ...life('s-3', { shopId: 'sums', lines: [line('milk', 1, 80)], currency: 'EUR' }),
    );
    const only = { shops: ['sums'] };
    const range = 'from=2026-03-01&to=2026-03-01';
    expect(await rowsOf(`${range}&groupBy=shop`, only)).toEqual([
      {
        shopId: 'sums',
        currency: 'EUR',
        orders: 1,
        units: 1,
        gross: 80,
        discounts: 0,
        discountsByKind: { loyalty: 0, storeCoupon: 0, manual: 0 },
        net: 80,
        averageBasket: 80,
      },
      {
        shopId: 'sums',
        currency: 'USD',
        orders: 2,
        units: 8,
        gross: 411,
        discounts: 121,
        discountsByKind: { loyalty: 20, storeCoupon: 1, manual: 100 },
        net: 290,
        averageBasket: 145,
      },
    ]);
    const bySku = await rowsOf(`${range}&groupBy=sku`, only);
    expect(bySku.map(({ sku, currency, orders, units, net }) => [sku, currency, orders, units, net])).toEqual([
      ['gift', 'USD', 1, 1, 0],
      ['milk', 'EUR', 1, 1, 80],
      ['milk', 'USD', 2, 4, 270],
      ['nail', 'USD', 1, 3, 20],
    ]);
    const byDepartment = await rowsOf(`${range}&groupBy=department,channel`, only);
    expect(
      byDepartment.map(({ department, channel, currency, orders }) => [department, channel, currency, orders]),
    ).toEqual([
      ['GROCERY', 'pos', 'EUR', 1],
      ['GROCERY', 'pos', 'USD', 1],
      ['GROCERY', 'web', 'USD', 1],
      [null, 'pos', 'USD', 1],
    ]);
    for (const groupBy of ['day', 'channel', 'sku', 'department', 'shop,day,channel,sku,department']) {
      const usd = (await rowsOf(`${range}&groupBy=${groupBy}`, only)).filter(({ currency }) => currency === 'USD');
      const sum = (name: 'net' | 'gross' | 'discounts' | 'units') => usd.reduce((total, row) => total + row[name], 0);
      expect([sum('net'), sum('gross'), sum('discounts'), sum('units')]).toEqual([290, 411, 121, 8]);
    }
  });

  test('changes nothing when it is told everything again, also by two cursors at once', async () => {
    const before = await contributions();
    await bench.database.exec(`update view_checkpoints set position = 0 where view = 'sales'`);
    const other = new LiveViews(bench.database, [salesView], silent);
    await Promise.all([service.views.catchUp(), other.catchUp()]);
    await other.stop();
    expect(await contributions()).toEqual(before);
    expect((await service.views.behind()).get('sales')).toBe(0);
  });

  test('leaves out, on record, an event that no table can hold, and goes on', async () => {
    await fold(...life('w-1', { timeZone: 'Nowhere/Land' }), ...life('w-2', { shopId: 'after' }));
    expect(await rowsOf('from=2026-03-01&to=2026-03-01&groupBy=shop', { shops: ['after'] })).toHaveLength(1);
    const skips = await bench.database.query('select view, reason from view_skips order by view');
    const reason = expect.stringContaining('Nowhere/Land');
    expect(skips).toEqual([
      { view: 'saga', reason },
      { view: 'sales', reason },
    ]);
  });
});

describe('GET /reports/sales', () => {
  test.each([
    ['from=2026-02-30&to=2026-03-01', 'VALIDATION_FAILED'],
    ['from=2026-3-1&to=2026-03-01', 'VALIDATION_FAILED'],
    ['from=2026-03-01', 'VALIDATION_FAILED'],
    ['from=2026-03-02&to=2026-03-01', 'RANGE_INVALID'],
    ['from=2026-03-01&to=2026-03-01&groupBy=customer', 'VALIDATION_FAILED'],
    ['from=2026-03-01&to=2026-03-01&groupBy=day,day', 'VALIDATION_FAILED'],
    ['from=2026-03-01&to=2026-03-01&groupBy=', 'VALIDATION_FAILED'],
    ['from=2026-03-01&to=2026-03-01&other=1', 'VALIDATION_FAILED'],
    [`from=2026-03-01&to=2026-03-01&groupBy=${encodeURIComponent('day;drop table events')}`, 'VALIDATION_FAILED'],
  ])('refuses %s', async (query, code) => {
    const { status, body } = await ask(query);
    expect([status, body.code]).toEqual([400, code]);
  });

  test('is for those who may read reports, in their own shops', async () => {
    const range = 'from=2026-03-01&to=2026-03-01';
    expect((await request(service.app.callback()).get(`/api/v1/reports/sales?${range}`)).status).toBe(401);
    expect((await ask(range, { perm: ['order:read'] })).status).toBe(403);
    expect((await ask(range, { shops: [] })).status).toBe(403);
    const rows = await rowsOf(range, { shops: ['sums', 'after'] });
    expect([...new Set(rows.map(({ shopId }) => shopId))]).toEqual(['after', 'sums']);
  });

  test('tells when the answer would be too long or no longer exact', async () => {
    const many = Array.from({ length: 101 }, (_, n) =>
      order(`wide-${n}`, { shopId: 'wide', lines: Array.from({ length: 100 }, (_, m) => line(`sku-${n}-${m}`, 1, 1)) }),
    );
    await fold(...many.map((data) => message(`order:${data.orderId}`, 1, 'order.confirmed', data)));
    const wide = await ask('from=2026-03-01&to=2026-03-01&groupBy=sku', { shops: ['wide'] });
    expect([wide.status, wide.body.code]).toEqual([400, 'RANGE_TOO_WIDE']);
    expect(wide.body.detail).toContain('fewer days');
    const huge = { shopId: 'huge', lines: [line('gold', 1, Number.MAX_SAFE_INTEGER)] };
    await fold(...life('h-1', huge));
    expect(await rowsOf('from=2026-03-01&to=2026-03-01&groupBy=shop', { shops: ['huge'] })).toMatchObject([
      { net: Number.MAX_SAFE_INTEGER },
    ]);
    await fold(...life('h-2', huge));
    const inexact = await ask('from=2026-03-01&to=2026-03-01&groupBy=shop', { shops: ['huge'] });
    expect([inexact.status, inexact.body.code]).toEqual([400, 'AMOUNT_TOO_LARGE']);
  });
});

describe('the sums', () => {
  const sums = () =>
    bench.database.query(
      'select * from sales_contributions_sums order by level, day, shop_id, channel, currency, sku, department',
    );

  test('begin with what the view holds where an earlier release kept none', async () => {
    const before = await sums();
    expect(before.length).toBeGreaterThan(10);
    await bench.database.exec('drop table sales_contributions_sums');
    const views = new LiveViews(bench.database, [salesView], silent);
    await views.create();
    await views.stop();
    expect(await sums()).toEqual(before);
  });

  test('say of each level what the orders say', async () => {
    const of = (from: string) => bench.database.query(`select sum(units) as units, sum(net) as net from ${from}`);
    const [orders] = await of('sales_contributions where counted');
    for (const level of Object.values(levels)) {
      expect(await of(`sales_contributions_sums where level = ${level}`)).toEqual([orders]);
    }
  });
});
