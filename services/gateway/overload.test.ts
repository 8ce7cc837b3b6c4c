import { beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { Overload } from '#kit/errors';
import { api, created, ok } from '#kit/http/api';
import { gatewayUnderTest } from './testing.ts';

const Any = z.unknown();
const gateway = gatewayUnderTest();

describe('while order says that it is overloaded', () => {
  let overloaded = false;
  const busy = () => {
    if (overloaded) throw new Overload('too many orders', { retryAfter: 2 });
  };
  beforeAll(() => {
    const orders = api('/orders', { tag: 'orders' })
      .post('', { summary: 'Place', access: 'caller', keyed: true, answers: { 201: Any } }, () => {
        busy();
        return created('/api/v1/orders/1', { id: 1 });
      })
      .post('/:id/cancel', { summary: 'Cancel', access: 'caller', keyed: true, answers: { 200: Any } }, () => {
        busy();
        return ok({});
      })
      .get('/:id', { summary: 'One', access: 'caller', answers: { 200: Any } }, () => ok({ id: 1 }));
    gateway.service('order', orders);
  });
  const post = (path: string, key: string) =>
    request(gateway.url).post(`/api/v1/orders${path}`).set({ authorization: gateway.bearer(), 'idempotency-key': key });

  test('most new orders are turned away before they reach it; repeats, cancellations and reads are not', async () => {
    expect((await post('', 'taken')).status).toBe(201);
    overloaded = true;
    for (let n = 0; n < 150; n += 1) await post('', `flood ${n}`);
    const refused = await post('', 'one more');
    expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([503, 'OVERLOADED', '2']);
    overloaded = false;
    gateway.seen.length = 0;
    for (let n = 0; n < 20; n += 1) await post('', `new ${n}`);
    const reached = gateway.seen.length;
    expect(reached).toBeLessThan(15);
    for (let n = 0; n < 10; n += 1) {
      expect((await post('', 'taken')).status).toBe(201);
      expect((await post('/1/cancel', `cancel ${n}`)).status).toBe(200);
      const read = await request(gateway.url).get('/api/v1/orders/1').set('authorization', gateway.bearer());
      expect(read.status).toBe(200);
    }
  });
});
