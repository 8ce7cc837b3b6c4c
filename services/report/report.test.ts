// Report as it runs: every topic through a real broker and daprd into the event log, whatever is repeated, missing or dead.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TopicName } from '#kit/events/catalogue';
import type { Message } from '#kit/events/message';
import { until } from '../../tests/conformance/until.ts';
import { cloudEvent, life, message, order } from './testing/order-events.ts';
import { type ReportMesh, startReportMesh } from './testing/report-mesh.ts';

interface Lag {
  position: number;
  views: { view: string; behind: number }[];
  parked: { stream: string; version: number; reason: string }[];
}

let bench: ReportMesh;
beforeAll(async () => {
  bench = await startReportMesh();
}, 60_000);
afterAll(() => bench?.stop());

async function publish(...messages: Message[]): Promise<void> {
  for (const topic of new Set(messages.map((each) => each.topic))) {
    const some = messages.filter((each) => each.topic === topic);
    const failed = await bench.owner.publish(
      'pubsub-saga',
      topic,
      some.map((each) => ({ event: cloudEvent(each), partitionKey: each.stream })),
    );
    expect(failed).toEqual([]);
  }
}

const own = (...messages: Message[]) => bench.owned.set(messages[0]?.stream as string, messages.map(cloudEvent));

/** The versions of a stream in the order of their positions. */
async function recorded(stream: string): Promise<number[]> {
  const sql = 'select version from events where stream = $1 order by position';
  return (await bench.database.query<{ version: number }>(sql, [stream])).map(({ version }) => version);
}

/** Everything published before is recorded too, as far as it can be: a mark in each partition of a topic has arrived. */
async function settled(topic: TopicName = 'orders'): Promise<void> {
  const marks = Array.from({ length: 12 }, (_, n) =>
    message(`order:mark-${n}-${Math.random()}`, 1, 'order.placed', order(`mark-${n}`), topic),
  );
  await publish(...marks);
  await until(async () => {
    const heads = await Promise.all(marks.map(({ stream }) => recorded(stream)));
    return heads.every(({ length }) => length === 1);
  }, 15_000);
}

async function parked(stream: string): Promise<{ version: number; reason: string } | undefined> {
  const { parked: all } = await bench.ask<Lag>('/internal/report/lag');
  const found = all.find((each) => each.stream === stream);
  return found && { version: found.version, reason: found.reason };
}

async function letters(topic: string, app: string): Promise<number> {
  const { items } = await bench.ask<{ items: { topic: string; app: string; count: number }[] }>(
    '/internal/report/dead-letters',
  );
  return items.find((each) => each.topic === topic && each.app === app)?.count ?? 0;
}

test('records every event once and in order, however often it comes', async () => {
  const lives = Array.from({ length: 60 }, (_, n) => life(`once-${n}`));
  await publish(...lives.flat(), ...lives.flat());
  await publish(...lives.flat());
  await settled();
  for (const [n] of lives.entries()) expect(await recorded(`order:once-${n}`)).toEqual([1, 2]);
  await until(async () => (await bench.ask<Lag>('/internal/report/lag')).views.every(({ behind }) => behind === 0));
  const [sold] = await bench.database.query<{ n: number }>(
    `select count(*) as n from sales_contributions where counted and order_id like 'once-%'`,
  );
  expect(sold?.n).toBe(60);
});

test('reads what is missing from the owner, in order, and takes what comes late for a repeat', async () => {
  const [placed, confirmed, cancelled] = life('gap', {}, true) as [Message, Message, Message];
  own(placed, confirmed, cancelled);
  await publish(placed, cancelled);
  await settled();
  expect(await recorded('order:gap')).toEqual([1, 2, 3]);
  await publish(confirmed, placed);
  await settled();
  expect(await recorded('order:gap')).toEqual([1, 2, 3]);
});

test('waits for an owner that is out of reach', async () => {
  const [placed, confirmed] = life('wait') as [Message, Message];
  own(placed, confirmed);
  bench.up = false;
  await publish(confirmed);
  await pause(1_500);
  expect(await recorded('order:wait')).toEqual([]);
  bench.up = true;
  await until(async () => (await recorded('order:wait')).length === 2);
});

test('parks a stream whose event breaks its contract, while others go on, and mends it when it is repaired', async () => {
  const [placed, confirmed, cancelled] = life('broken', {}, true) as [Message, Message, Message];
  const broken = { ...confirmed, data: { orderId: 'broken' } };
  own(placed, broken, cancelled);
  await publish(placed, broken, cancelled, ...life('healthy'));
  await settled();
  expect(await recorded('order:healthy')).toEqual([1, 2]);
  expect(await recorded('order:broken')).toEqual([1]);
  expect(await parked('order:broken')).toEqual({ version: 2, reason: 'CONTRACT_BROKEN' });
  await until(async () => (await letters('orders', 'report')) === 1);

  own(placed, confirmed, cancelled);
  await publish(confirmed);
  await settled();
  expect(await recorded('order:broken')).toEqual([1, 2, 3]);
  expect(await parked('order:broken')).toBeUndefined();
});

test('tries parked streams again when it starts: the new version may know what the old one did not', async () => {
  const [placed, confirmed] = life('newer') as [Message, Message];
  own({ ...placed, data: {} }, confirmed);
  await publish(confirmed);
  await until(async () => (await parked('order:newer'))?.version === 1);
  own(placed, confirmed);
  await bench.mesh.process('report').restart();
  await until(async () => (await recorded('order:newer')).length === 2);
  expect(await parked('order:newer')).toBeUndefined();
}, 20_000);

test('keeps in the dead letters what not even its owner knows', async () => {
  const before = await letters('orders', 'report');
  const [, confirmed] = life('unknown') as [Message, Message];
  await publish(confirmed);
  await until(async () => (await letters('orders', 'report')) === before + 1);
  expect(await parked('order:unknown')).toEqual({ version: 1, reason: 'MISSING_AT_OWNER' });
});

test('an event that the database cannot hold becomes a dead letter after some tries', async () => {
  const before = await letters('orders', 'report');
  const [placed, confirmed] = life('nul', { shopId: 'a\0b' }) as [Message, Message];
  own(placed, confirmed);
  await publish(placed, confirmed);
  await until(async () => (await letters('orders', 'report')) === before + 1, 15_000);
  expect(await parked('order:nul')).toEqual({ version: 1, reason: 'NOT_STORABLE' });
  await settled();
}, 30_000);

test('counts dead letters of every app once, also those that are no JSON at all', async () => {
  const letter = { reason: 'DECISION_FAILED', attempts: 5, event: cloudEvent(life('dead')[0] as Message) };
  for (let n = 0; n < 2; n += 1) {
    await bench.owner.publishRaw('pubsub-saga', 'orders.dead.inventory', { ...letter, attempts: 5 + n }, 'k');
  }
  await until(async () => (await letters('orders', 'inventory')) === 1);
  const before = await letters('inventory', 'report');
  await bench.owner.publishRaw('pubsub-saga', 'inventory', 'no event', 'k');
  await until(async () => (await letters('inventory', 'report')) === before + 1);
  await pause(500);
  expect(await letters('orders', 'inventory')).toBe(1);
});

test('a batch that one statement could not carry is cut', async () => {
  const lines = Array.from({ length: 500 }, (_, n) => ({
    ...{ sku: `${n}-${'x'.repeat(60)}`, quantity: 1, unitPrice: 1, total: 1, department: 'GROCERY "X"' },
    discounts: [],
  }));
  const fat = Array.from({ length: 60 }, (_, n) => life(`fat-${n}`, { lines }));
  for (const each of fat) await publish(...each);
  await settled();
  for (const [n] of fat.entries()) expect(await recorded(`order:fat-${n}`)).toEqual([1, 2]);
}, 30_000);

test.each(['report', 'report-dapr', 'postgres'])('loses and doubles nothing when %s is killed', async (victim) => {
  const lives = Array.from({ length: 80 }, (_, n) => life(`kill-${victim}-${n}`));
  for (const [n, each] of lives.entries()) {
    await publish(...each);
    if (n === 30) void bench.mesh.process(victim).kill('SIGKILL');
    await pause(5);
  }
  await until(async () => {
    const sql = `select count(*) as n from events where stream like 'order:kill-${victim}-%'`;
    return (await bench.database.query<{ n: number }>(sql))[0]?.n === 160;
  }, 25_000);
}, 40_000);

test('a database that is away for ten seconds comes back to everything', async () => {
  const lives = Array.from({ length: 50 }, (_, n) => life(`away-${n}`));
  const before = await letters('orders', 'report');
  await bench.mesh.process('postgres').stop();
  await publish(...lives.flat());
  await pause(10_000);
  await bench.mesh.process('postgres').start();
  await until(async () => {
    const sql = `select count(*) as n from events where stream like 'order:away-%'`;
    return (await bench.database.query<{ n: number }>(sql))[0]?.n === 100;
  }, 25_000);
  expect(await letters('orders', 'report')).toBe(before);
}, 50_000);
