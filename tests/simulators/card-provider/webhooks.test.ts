// Webhooks of the simulator, received by a small server and checked with the official client.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import Stripe from 'stripe';
import { type RunningSimulator, startSimulator } from './control-client.ts';

const SECRET = 'whsec_simulator';
const API_KEY = 'sk_test_simulator';

type Delivery = { body: Buffer; signature: string };

let folder: string;
let receiver: Server;
let deliveries: Delivery[];
let status: number;
let simulator: RunningSimulator;
let stripe: Stripe;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'card-provider-webhooks-'));
  deliveries = [];
  status = 200;
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    deliveries.push({ body: Buffer.concat(chunks), signature: String(request.headers['stripe-signature']) });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  await start();
});

afterEach(async () => {
  await simulator.stop();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
  await rm(folder, { recursive: true });
});

async function start(): Promise<void> {
  simulator = await startSimulator({
    DATA_FILE: join(folder, 'book.jsonl'),
    API_KEY,
    WEBHOOK_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/webhooks/provider`,
    WEBHOOK_SECRET: SECRET,
  });
  stripe = new Stripe(API_KEY, { host: '127.0.0.1', port: simulator.port, protocol: 'http', telemetry: false });
}

async function capture(paymentId: string): Promise<Stripe.PaymentIntent> {
  return stripe.paymentIntents.create({
    amount: 500,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
    metadata: { payment_id: paymentId },
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 8_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await pause(20);
  }
}

async function allSent(): Promise<boolean> {
  return (await simulator.control.book()).webhooks.pending === 0;
}

function event({ body, signature }: Delivery): Stripe.Event {
  return stripe.webhooks.constructEvent(body, signature, SECRET);
}

function paymentIds(): unknown[] {
  return deliveries.map((d) => (event(d).data.object as Stripe.PaymentIntent).metadata.payment_id);
}

test('each kind of event is signed as the official client checks it', async () => {
  const { id } = await capture('p1');
  await stripe.refunds.create({ payment_intent: id });
  await stripe.paymentIntents
    .create({ amount: 1, currency: 'usd', payment_method: 'pm_card_visa_chargeDeclined', confirm: true })
    .catch(() => {});
  const open = await stripe.paymentIntents.create({ amount: 1, currency: 'usd' });
  await stripe.paymentIntents.cancel(open.id);
  await until(() => deliveries.length === 4);
  expect(deliveries.map((delivery) => event(delivery).type).sort()).toEqual([
    'charge.refunded',
    'payment_intent.canceled',
    'payment_intent.payment_failed',
    'payment_intent.succeeded',
  ]);
  const [first] = deliveries as [Delivery];
  expect(() => stripe.webhooks.constructEvent(first.body, first.signature, 'whsec_other')).toThrow();
});

test('a refused webhook is sent again, with the same event id', async () => {
  status = 503;
  await capture('p1');
  await until(() => deliveries.length >= 1);
  status = 200;
  await until(allSent);
  expect(new Set(deliveries.map((delivery) => event(delivery).id)).size).toBe(1);
  expect(deliveries.length).toBeGreaterThan(1);
});

test('double: every event comes twice', async () => {
  await simulator.control.faults({ webhooks: { double: true } });
  await capture('p1');
  await until(allSent);
  const ids = deliveries.map((delivery) => event(delivery).id);
  expect(ids).toHaveLength(2);
  expect(ids[0]).toBe(ids[1]);
});

test('reorder: the newest comes first', async () => {
  await simulator.control.faults({ webhooks: { reorder: true, off: true } });
  for (const id of ['p1', 'p2', 'p3']) await capture(id);
  await pause(400);
  await simulator.control.faults({ webhooks: { off: false } });
  await until(allSent);
  expect(paymentIds()).toEqual(['p3', 'p2', 'p1']);
});

test('off: events wait, also over a kill -9, until webhooks are on again', async () => {
  await simulator.control.faults({ webhooks: { off: true } });
  await capture('p1');
  await pause(300);
  expect(deliveries).toEqual([]);
  await simulator.stop('SIGKILL');
  await start();
  await until(allSent);
  expect(paymentIds()).toEqual(['p1']);
});

test('delayMs: events come late', async () => {
  await simulator.control.faults({ webhooks: { delayMs: 500 } });
  const begin = Date.now();
  await capture('p1');
  await until(allSent);
  expect(Date.now() - begin).toBeGreaterThanOrEqual(500);
});
