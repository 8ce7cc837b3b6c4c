import { beforeEach, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import request from 'supertest';
import { silent } from '../log.ts';
import { type DeadLetter, deadLetters } from './dead-letters.ts';

const kept: DeadLetter[] = [];
let broken = false;
const app = new Koa()
  .use(
    deadLetters({
      of: [{ topic: 'orders', appId: 'inventory' }],
      keep: async (letter) => {
        if (broken) throw new Error('no room');
        kept.push(letter);
      },
      log: silent,
    }),
  )
  .use((ctx) => {
    if (ctx.path === '/dapr/subscribe') ctx.body = [{ topic: 'shops' }];
  })
  .callback();

const deliver = (bytes: Buffer) =>
  request(app)
    .post('/dapr/dead/orders/inventory')
    .send({ id: 'new', data_base64: bytes.toString('base64') });

beforeEach(() => {
  kept.length = 0;
  broken = false;
});

describe('dead letters', () => {
  test('are subscribed to one by one and raw, beside what else is heard', async () => {
    expect((await request(app).get('/dapr/subscribe')).body).toEqual([
      { topic: 'shops' },
      {
        pubsubname: 'pubsub-dead',
        topic: 'orders.dead.inventory',
        route: '/dapr/dead/orders/inventory',
        metadata: { rawPayload: 'true' },
      },
    ]);
  });

  test('say why, and where the event belongs', async () => {
    const event = { id: 'e', data: { stream: 'order:1', version: 3 } };
    await deliver(Buffer.from(JSON.stringify({ reason: 'CONTRACT_BROKEN', attempts: 1, event }))).expect(200, {
      status: 'SUCCESS',
    });
    expect(kept).toMatchObject([
      { appId: 'inventory', reason: 'CONTRACT_BROKEN', attempts: 1, eventId: 'e', stream: 'order:1', version: 3 },
    ]);
  });

  test.each(['no json \u0000', 'null', '17', '{"data":7}', ''])('may be anything: %j', async (text) => {
    await deliver(Buffer.from(text)).expect(200, { status: 'SUCCESS' });
    expect(kept).toMatchObject([{ reason: 'NOT_A_CLOUD_EVENT', stream: undefined, body: Buffer.from(text) }]);
  });

  test('come again when they could not be kept', async () => {
    broken = true;
    await deliver(Buffer.from('x')).expect(200, { status: 'RETRY' });
  });
});
