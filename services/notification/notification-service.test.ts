// Notification as it runs: two replicas, a real broker, database and mail server; each thing told once, whatever breaks.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask } from '#kit/dapr/ask';
import { type CloudEvent, event } from '#kit/testing/bench';
import { example } from '#kit/testing/example';
import { until } from '../../tests/conformance/until.ts';
import { markOf } from './mail.ts';
import { type NotificationMesh, type ReceivedMail, startNotificationMesh } from './testing/notification-mesh.ts';

let bench: NotificationMesh;
beforeAll(async () => {
  bench = await startNotificationMesh();
}, 60_000);
afterAll(() => bench?.stop());

interface Told {
  readonly orderId: string;
  readonly customerId: string | null;
}

function orderEvent({ orderId, customerId }: Told, type: 'order.confirmed' | 'order.cancelled', version: number) {
  const lines = [{ sku: '<b>milk</b>', quantity: 2, unitPrice: 199, discounts: [], total: 398, department: null }];
  return event(type, `order:${orderId}`, version, example(type, { orderId, customerId, lines, gross: 398, net: 398 }));
}

async function publish(...events: CloudEvent[]): Promise<void> {
  const publications = events.map((each) => ({ event: each, partitionKey: each.subject }));
  expect(await bench.orders.publish('pubsub-saga', 'orders', publications)).toEqual([]);
}

/** A new order of a customer with an account of its own. */
function customer(): Told {
  const told = { orderId: randomUUID(), customerId: randomUUID() };
  bench.accounts.set(told.customerId, { email: `${told.orderId}@shop.test`, name: 'Ada' });
  return told;
}

const confirmed = (told: Told) => orderEvent(told, 'order.confirmed', 2);
const statusOf = async ({ orderId }: Told, template = 'order-confirmed') =>
  (await bench.document(orderId, template))?.state.status;
const about = (mails: readonly ReceivedMail[], { orderId }: Told) => mails.filter(({ html }) => html.includes(orderId));

/** Every one is told once, at the own address. */
async function expectOneEach(all: readonly Told[]): Promise<void> {
  const mails = await bench.mails();
  for (const told of all) {
    const own = about(mails, told).map(({ to }) => to.map(({ address }) => address));
    expect(own).toEqual([[`${told.orderId}@shop.test`]]);
  }
}

test('a customer is told of confirmation and cancellation, once each, at the address that auth gives', async () => {
  const told = customer();
  const both = [confirmed(told), orderEvent(told, 'order.cancelled', 3)];
  await publish(...both);
  await until(async () => (await statusOf(told)) === 'sent' && (await statusOf(told, 'order-cancelled')) === 'sent');
  await publish(...both, ...both);
  const last = customer();
  await publish(confirmed(last));
  await until(async () => (await statusOf(last)) === 'sent');

  const mails = about(await bench.mails(), told);
  expect(mails.map(({ subject }) => subject).sort()).toEqual([
    `Your order is cancelled (${told.orderId.slice(0, 8)})`,
    `Your order is confirmed (${told.orderId.slice(0, 8)})`,
  ]);
  const [first] = mails.filter(({ subject }) => subject.includes('confirmed'));
  expect(first?.to.map(({ address }) => address)).toEqual([`${told.orderId}@shop.test`]);
  for (const text of ['&lt;b&gt;milk&lt;/b&gt;', '$3.98', markOf({ ...told, template: 'order-confirmed' })]) {
    expect(first?.html).toContain(text);
  }
  expect(JSON.stringify(await bench.document(told.orderId, 'order-confirmed'))).not.toContain('@shop.test');
  await until(async () => {
    const rows = await bench.database.query<{ status: string; due_at: null }>(
      'select status, due_at from notifications where order_id = $1',
      [told.orderId],
    );
    return rows.length === 2 && rows.every(({ status, due_at }) => status === 'sent' && due_at === null);
  });
});

test('customers of tills are told nothing, and nothing is kept about them', async () => {
  const silent = [null, 'household-2375'].map((customerId) => ({ orderId: randomUUID(), customerId }));
  const last = customer();
  await publish(...silent.map(confirmed), confirmed(last));
  await until(async () => (await statusOf(last)) === 'sent');
  for (const { orderId } of silent) expect(await bench.document(orderId, 'order-confirmed')).toBeUndefined();
});

test('who has no account, or an address that no mail can have, is skipped', async () => {
  const nobody = { orderId: randomUUID(), customerId: randomUUID() };
  const odd = customer();
  bench.accounts.set(odd.customerId as string, { email: 'a@b.test;c@d.test', name: '' });
  await publish(confirmed(nobody), confirmed(odd));
  await until(async () => (await statusOf(nobody)) === 'skipped' && (await statusOf(odd)) === 'skipped');
  const reasons = [nobody, odd].map(async ({ orderId }) => {
    const document = await bench.document(orderId, 'order-confirmed');
    return (document?.events.at(-1)?.data as { reason: string }).reason;
  });
  expect(await Promise.all(reasons)).toEqual(['NO_ACCOUNT', 'ADDRESS_INVALID']);
  expect(about(await bench.mails(), odd)).toEqual([]);
});

test('many at once: every mail goes to its own customer', async () => {
  const all = Array.from({ length: 60 }, customer);
  await publish(...all.map(confirmed));
  await until(async () => (await Promise.all(all.map((told) => statusOf(told)))).every((s) => s === 'sent'), 20_000);
  await expectOneEach(all);
}, 30_000);

test('while auth is out of reach, mails wait', async () => {
  const told = customer();
  bench.authUp = false;
  await publish(confirmed(told));
  await pause(1_500);
  expect(await statusOf(told)).toBe('requested');
  bench.authUp = true;
  await until(async () => (await statusOf(told)) === 'sent');
  await expectOneEach([told]);
});

test('while the mail server is down, requests are taken all the same, and each is sent once when it is back', async () => {
  await bench.mesh.process('mail').stop();
  const all = Array.from({ length: 20 }, customer);
  await publish(...all.map(confirmed));
  await until(async () => (await Promise.all(all.map((told) => statusOf(told)))).every((s) => s === 'requested'));
  await pause(11_000); // both replicas have looked for due work
  await bench.mesh.process('mail').start();
  await until(async () => (await Promise.all(all.map((told) => statusOf(told)))).every((s) => s === 'sent'), 25_000);
  await expectOneEach(all);
}, 50_000);

test('what a killed process had still to send is sent by another, once', async () => {
  await bench.mesh.process('mail').stop();
  const all = Array.from({ length: 20 }, customer);
  await publish(...all.map(confirmed));
  await until(async () => (await Promise.all(all.map((told) => statusOf(told)))).every((s) => s === 'requested'));
  await Promise.all(['notification', 'notification-2'].map((name) => bench.mesh.process(name).kill('SIGKILL')));
  await bench.mesh.process('mail').start();
  await until(async () => (await Promise.all(all.map((told) => statusOf(told)))).every((s) => s === 'sent'), 45_000);
  await expectOneEach(all);
}, 60_000);

test('an address that the mail server does not know is not tried for ever', async () => {
  await bench.mesh.process('mail').stop();
  const refusing = createServer((socket) => {
    socket.on('error', () => undefined).write('220 sink\r\n');
    socket.on('data', (line) =>
      socket.write(/^RCPT/i.test(String(line)) ? '550 5.1.1 No such user\r\n' : '250 ok\r\n'),
    );
  });
  await new Promise<void>((resolve) => refusing.listen(bench.mesh.ports.smtp, '127.0.0.1', resolve));
  const told = customer();
  await publish(confirmed(told));
  const sendAccountMail = () =>
    ask<{ outcome: string }>(bench.orders, {
      ...{ to: 'notification', method: 'POST', path: '/internal/account-mails', timeout: 10_000 },
      body: { template: 'known', email: 'nobody@shop.test' },
    });
  await until(async () => (await statusOf(told)) === 'skipped', 15_000)
    .then(async () => expect(await sendAccountMail()).toEqual({ outcome: 'ADDRESS_REFUSED' }))
    .finally(() => refusing.close());
  await bench.mesh.process('mail').start();
}, 30_000);
