import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { Fault } from '#kit/errors';
import { api, created, ok } from '#kit/http/api';
import { gatewayUnderTest, patient } from './testing.ts';

const Any = z.unknown();
const gateway = gatewayUnderTest();

const short = { ...patient, attempt: 300, request: 400, command: 1_000 };

describe('when a service does not answer', () => {
  let tries = 0;
  let reaction: (attempt: number) => unknown = () => ok({ done: true });
  beforeAll(() => {
    const routes = api('/payments', { tag: 'payments' })
      .get('/:id', { summary: 'One', access: 'anyone', answers: { 200: Any } }, () => reaction(++tries) as never)
      .post(
        '',
        { summary: 'Pay', access: 'anyone', keyed: true, answers: { 200: Any } },
        () => reaction(++tries) as never,
      )
      .post('/plain', { summary: 'Pay', access: 'anyone', answers: { 200: Any } }, () => reaction(++tries) as never);
    gateway.service('payment', routes);
  });
  afterEach(() => {
    tries = 0;
    gateway.fake.intercept = undefined;
    reaction = () => ok({ done: true });
  });
  const get = () => request(gateway.url).get('/api/v1/payments/x');
  const keyed = () => request(gateway.url).post('/api/v1/payments').set('idempotency-key', 'k');
  const plain = () => request(gateway.url).post('/api/v1/payments/plain');
  const slow = (ms: number) => new Promise((resolve) => setTimeout(() => resolve(ok({ done: true })), ms));

  function breaking(times: number, how: 'break' | { status: number; body: unknown }) {
    let left = times;
    gateway.fake.intercept = () => {
      tries++;
      return left-- > 0 ? how : undefined;
    };
  }
  const daprError = { status: 500, body: { errorCode: 'ERR_DIRECT_INVOKE', message: 'inner address 10.0.0.1' } };

  test.each(['break' as const, daprError])('repeats a GET and a keyed POST once (%#)', async (how) => {
    breaking(1, how);
    expect((await get()).body).toEqual({ done: true });
    breaking(1, how);
    expect((await keyed()).body).toEqual({ done: true });
    breaking(2, how);
    const answer = await get();
    expect([answer.status, answer.headers['retry-after'], answer.body.code]).toEqual([503, '1', 'UNAVAILABLE']);
    expect(answer.text).not.toMatch(/ERR_|inner|10\.0/);
  });

  test('does not repeat a command without a key', async () => {
    breaking(1, daprError);
    expect((await plain()).status).toBe(503);
    expect(tries).toBe(1);
  });

  test('gives up a GET at its time-out', async () => {
    reaction = () => slow(2_500);
    const started = Date.now();
    expect((await request(gateway.withTimes(short)).get('/api/v1/payments/x')).status).toBe(503);
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  test('sends a keyed command that takes long again until it is done, or its time is over', async () => {
    const keyed = () => request(gateway.withTimes(short)).post('/api/v1/payments').set('idempotency-key', 'k');
    reaction = (attempt) => (attempt < 3 ? slow(2_500) : ok({ done: attempt }));
    expect((await keyed()).body).toEqual({ done: 3 });
    reaction = () => slow(2_500);
    tries = 0;
    const answer = await keyed();
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(tries).toBeGreaterThanOrEqual(2);
  });

  test('passes a 503 of the service on, without a repeat', async () => {
    reaction = () => {
      throw new Fault('store', { retryAfter: 7 });
    };
    const answer = await get();
    expect([answer.status, answer.headers['retry-after'], tries]).toEqual([503, '7', 1]);
  });

  test('does not take a broken answer for a whole one, nor words of the sidecar for the service', async () => {
    const answers: [number, Record<string, string>, string][] = [
      [200, { 'content-type': 'application/json', 'x-body-length': '30' }, '{"id":"x"'],
      [404, { 'content-type': 'text/plain' }, '404 page not found'],
      [403, { 'content-type': 'application/json' }, '{"errorCode":"ERR_DIRECT_INVOKE","message":"denied"}'],
    ];
    const whole = gateway.fake.apps.get('payment');
    for (const [status, headers, body] of answers) {
      gateway.fake.apps.set('payment', (_, res) => void res.writeHead(status, headers).end(body));
      expect((await get()).body).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    }
    if (whole) gateway.fake.apps.set('payment', whole);
  });

  test('answers 503 for a service that is not there', async () => {
    const app = gateway.fake.apps.get('shop');
    gateway.fake.apps.delete('shop');
    expect((await request(gateway.url).get('/api/v1/shops/x')).status).toBe(503);
    if (app) gateway.fake.apps.set('shop', app);
  });
});

describe('a long wait', () => {
  let final = 0;
  const waits: (string | undefined)[] = [];
  beforeAll(() => {
    const Order = z.strictObject({ id: z.string(), status: z.string() });
    const order = async (wait: number) => {
      const until = Math.min(Date.now() + wait * 1_000, Math.max(final, Date.now()));
      while (Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
      return { id: 'o1', status: Date.now() >= final ? 'confirmed' : 'placed' };
    };
    const routes = api('/orders', { tag: 'orders' })
      .get(
        '/:id',
        {
          summary: 'One',
          access: 'caller',
          query: z.strictObject({ wait: z.number().min(0).max(30).optional() }),
          answers: { 200: Order },
        },
        async ({ query }) => {
          waits.push(`get ${query.wait}`);
          const body = await order(query.wait ?? 0);
          return ok(body, { version: body.status === 'placed' ? 1 : 3 });
        },
      )
      .post('', { summary: 'Place', access: 'caller', keyed: true, answers: { 201: Order } }, async ({ wait }) => {
        waits.push(`post ${wait}`);
        const body = await order(wait ?? 0);
        return created('/api/v1/orders/o1', body, { version: body.status === 'placed' ? 1 : 3 });
      });
    gateway.service('order', routes);
  });
  afterEach(() => {
    waits.length = 0;
  });
  const read = (wait: number | string) =>
    request(gateway.url).get(`/api/v1/orders/o1?wait=${wait}`).set('authorization', gateway.bearer());
  const place = (prefer: string) =>
    request(gateway.url)
      .post('/api/v1/orders')
      .set({ authorization: gateway.bearer(), 'idempotency-key': 'k', prefer });

  test('is asked for in short ones and ends when the order is final', async () => {
    final = Date.now() + 1_500;
    const answer = await read(30);
    expect(answer.body.status).toBe('confirmed');
    expect(answer.headers.etag).toBe('"3"');
    expect(waits).toEqual(['get 1', 'get 1']);
  });

  test('ends with what there is when the time is over', async () => {
    final = Date.now() + 60_000;
    const started = Date.now();
    expect((await read(2)).body.status).toBe('placed');
    expect(Date.now() - started).toBeGreaterThanOrEqual(1_950);
  });

  test('of a POST goes on by reading what was made, and stays 201', async () => {
    final = Date.now() + 1_500;
    const answer = await place('wait=10');
    expect([answer.status, answer.body.status, answer.headers.etag, answer.headers.location]).toEqual([
      201,
      'confirmed',
      '"3"',
      '/api/v1/orders/o1',
    ]);
    expect(waits).toEqual(['post 1', 'get 1']);
  });

  test('of a POST that is final at once is one call', async () => {
    final = 0;
    expect((await place('respond-async, wait=10')).body.status).toBe('confirmed');
    expect(waits).toEqual(['post 1']);
  });

  test('ends when the client goes', async () => {
    final = Date.now() + 60_000;
    const abort = new AbortController();
    const asked = fetch(`${gateway.url}/api/v1/orders/o1?wait=30`, {
      headers: { authorization: gateway.bearer() },
      signal: abort.signal,
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    abort.abort();
    await expect(asked).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(waits).toHaveLength(1);
  });

  test.each(['99', '100000', '29.5'])('of %s s is cut like any other', async (wait) => {
    final = Date.now() + 1_500;
    expect((await read(wait)).body.status).toBe('confirmed');
    expect(waits).toEqual(['get 1', 'get 1']);
  });

  test.each(['x', '-1', '1e3'])('of "%s" is for the service to refuse', async (wait) => {
    expect((await read(wait)).body).toMatchObject({ status: 400, errors: [{ pointer: '/wait' }] });
  });
});
