// The chain hears what the system hears, and as long: an order's way through it is no shorter and no longer.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type Koa from 'koa';
import supertest from 'supertest';
import { inventoryService } from '../../../services/inventory/app.ts';
import { Contracts } from '../../../services/kit/events/contracts.ts';
import { silent } from '../../../services/kit/log.ts';
import { type FakeSidecar, startFakeSidecar } from '../../../services/kit/testing/fake-sidecar.ts';
import { testIssuer } from '../../../services/kit/testing/tokens.ts';
import { notificationService } from '../../../services/notification/app.ts';
import { orderService } from '../../../services/order/app.ts';
import { paymentService } from '../../../services/payment/app.ts';
import { reportService } from '../../../services/report/app.ts';
import { shape } from './shape.ts';

/** What daprd is told of a subscription. */
interface Declared {
  readonly pubsubname: string;
  readonly topic: string;
  readonly bulkSubscribe?: { readonly maxMessagesCount: number; readonly maxAwaitDurationMs: number };
}

/** What an order is heard of by; the others carry goods, shops and the like. */
const TOPICS = ['orders', 'inventory', 'payments', 'provider-events', 'notifications'];

let fake: FakeSidecar;
beforeAll(async () => {
  fake = await startFakeSidecar();
});
afterAll(() => fake.close());

const { verifier } = testIssuer();
const contracts = new Contracts();
const parts = (name: string) => ({ name, sidecar: fake.client, log: silent, verifier, contracts });
const apps: Readonly<Record<string, () => Koa>> = {
  order: () => orderService({ ...parts('order'), deadlineSeconds: 60, returnWindowDays: 30 }).app,
  inventory: () => inventoryService({ ...parts('inventory'), sweepAfterSeconds: 10 }).app,
  payment: () => paymentService({ ...parts('payment'), providerTimeout: 2_000 }).app,
  notification: () => notificationService({ ...parts('notification'), mailBinding: 'mail', mailTimeoutSeconds: 8 }).app,
  report: () => reportService({ ...parts('report'), binding: 'views-report' }).app,
};

describe('the chain', () => {
  test.each(Object.entries(apps))('hears of orders as %s does', async (appId, app) => {
    const { body } = await supertest(app().callback()).get('/dapr/subscribe').expect(200);
    const ours = (body as Declared[])
      .filter(({ topic, bulkSubscribe }) => TOPICS.includes(topic) && bulkSubscribe)
      .map(({ pubsubname: pubsub, topic, bulkSubscribe: bulk }) => ({
        ...{ pubsub, topic, most: bulk?.maxMessagesCount, await: bulk?.maxAwaitDurationMs },
      }));
    const chain = shape.roles[appId]?.hears?.map(({ pubsub, topic, most, await: milliseconds }) => ({
      ...{ pubsub, topic, most, await: milliseconds },
    }));
    expect(new Set(chain)).toEqual(new Set(ours));
  });

  test('hears nothing where the system has nobody who does', () => {
    const listening = Object.keys(shape.roles).filter((appId) => shape.roles[appId]?.hears);
    expect(listening.toSorted()).toEqual(Object.keys(apps).toSorted());
  });
});
