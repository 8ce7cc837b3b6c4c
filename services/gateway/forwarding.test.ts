import { beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { refuse } from '#kit/errors';
import { api, ok } from '#kit/http/api';
import { gatewayUnderTest } from './testing.ts';

const Any = z.unknown();
const gateway = gatewayUnderTest();

describe('the gateway forwards', () => {
  beforeAll(() => {
    const products = api('/products', { tag: 'products' })
      .get(
        '/:sku',
        {
          summary: 'One',
          access: 'anyone',
          query: z.strictObject({ q: z.string().optional() }),
          answers: { 200: Any },
        },
        ({ params }) =>
          ok({ sku: params.sku }, { version: 3, headers: { server: 'inner', 'set-cookie': 'a=b', 'x-inner': '1' } }),
      )
      .put(
        '/:sku',
        { summary: 'Put', access: 'caller', takes: z.strictObject({ a: z.int() }), answers: { 200: Any } },
        ({ body }) => ok(body),
      )
      .delete('/:sku', { summary: 'Gone', access: 'caller', answers: { 200: Any } }, () => refuse('NOT_FOUND'));
    gateway.service('product', products);
  });

  test('by the path alone, with query and body as they are', async () => {
    const answer = await request(gateway.url).get('/api/v1/products/a%20b?q=%C3%A4');
    expect([answer.status, answer.body]).toEqual([200, { sku: 'a b' }]);
    expect(gateway.seen[0]?.url).toBe('/api/v1/products/a%20b?q=%C3%A4');
    expect(gateway.seen[0]?.headers['dapr-app-id']).toBe('product');
    const put = await request(gateway.url)
      .put('/api/v1/products/x')
      .set('authorization', gateway.bearer())
      .send({ a: 1 });
    expect(put.body).toEqual({ a: 1 });
  });

  test('only headers that it knows, in both directions', async () => {
    const answer = await request(gateway.url).get('/api/v1/products/x').set({
      'dapr-app-id': 'auth',
      'dapr-caller-app-id': 'order',
      'dapr-api-token': 'x',
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-host': 'evil',
      forwarded: 'for=1.2.3.4',
      'x-real-ip': '1.2.3.4',
      'x-http-method-override': 'DELETE',
      'grpc-timeout': '1S',
      baggage: 'a=b',
      cookie: 'a=b',
      'if-none-match': '"9"',
      'x-request-id': 'mine',
    });
    expect(answer.status).toBe(200);
    const headers = gateway.seen[0]?.headers ?? {};
    expect(headers['dapr-app-id']).toBe('product');
    for (const name of [
      'dapr-caller-app-id',
      'dapr-api-token',
      'x-forwarded-for',
      'x-forwarded-host',
      'forwarded',
      'x-real-ip',
      'x-http-method-override',
      'grpc-timeout',
      'baggage',
      'cookie',
    ]) {
      expect([name, headers[name]]).toEqual([name, undefined]);
    }
    expect([headers['if-none-match'], headers['x-request-id']]).toEqual(['"9"', 'mine']);
    expect(headers.traceparent).toBe(answer.headers.traceparent);
    expect(answer.headers).toMatchObject({
      etag: '"3"',
      'x-request-id': 'mine',
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff',
    });
    for (const name of ['server', 'set-cookie', 'x-inner', 'x-body-length'])
      expect(answer.headers[name]).toBeUndefined();
  });

  test('answers without a body, and HEAD', async () => {
    expect((await request(gateway.url).get('/api/v1/products/x').set('if-none-match', '"3"')).status).toBe(304);
    const head = await request(gateway.url).head('/api/v1/products/x');
    expect([head.status, head.headers['content-length']]).toEqual([200, '11']);
  });

  test('refusals of the service with their problem document and headers', async () => {
    const none = await request(gateway.url).delete('/api/v1/products/x').set('authorization', gateway.bearer());
    expect(none.body).toMatchObject({ status: 404, code: 'NOT_FOUND', instance: '/api/v1/products/x' });
    const method = await request(gateway.url).post('/api/v1/products/x').send({});
    expect([method.status, method.headers.allow]).toEqual([405, 'DELETE, GET, HEAD, PUT']);
    expect((await request(gateway.url).put('/api/v1/products/x').send({ a: 1 })).headers['www-authenticate']).toBe(
      'Bearer realm="retail-erp"',
    );
  });

  test('nothing that is not in its table', async () => {
    for (const path of [
      '/',
      '/api',
      '/api/v1',
      '/api/v1/nothing',
      '/api/v1/campaigns',
      '/api/v1/productsx',
      '/API/v1/products/x',
      '/api/v2/products/x',
      '/internal/openapi',
      '/internal/accounts/x',
      '/dapr/subscribe',
      '/v1.0/metadata',
      '/.well-known/jwks.json/x',
      '/webhooks/provider/x',
      '/api/v1/products/',
      '/api/v1/auth/login/',
    ]) {
      expect((await request(gateway.url).get(path)).body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    }
    expect(gateway.seen).toEqual([]);
  });

  test('no bad token', async () => {
    for (const token of [gateway.bearer({ exp: 1 }), 'Bearer x.y.z', 'Basic YTpi']) {
      const answer = await request(gateway.url).get('/api/v1/products/x').set('authorization', token);
      expect([answer.status, answer.body.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
    expect(gateway.seen).toEqual([]);
  });

  test('no body that is too large', async () => {
    const send = (path: string, size: number) =>
      request(gateway.url)
        .post(path)
        .set('content-type', 'application/json')
        .send(`"${'x'.repeat(size)}"`);
    expect((await send('/api/v1/products', 256 * 1024)).body).toMatchObject({
      status: 413,
      code: 'PAYLOAD_TOO_LARGE',
    });
    expect((await send('/api/v1/inventory/receipts', 2 * 1024 * 1024)).status).toBe(413);
    expect(gateway.seen).toEqual([]);
    await send('/api/v1/inventory/receipts', 2 * 1024 * 1024 - 2);
    expect(gateway.seen).toHaveLength(1);
  });
});

describe('the gateway limits', () => {
  test('every caller for itself', async () => {
    const [busy, quiet] = [gateway.bearer({ sub: 'busy' }), gateway.bearer({ sub: 'quiet' })];
    const ask = (token: string) => request(gateway.url).get('/api/v1/reports/x').set('authorization', token);
    const first = await ask(busy);
    expect(first.headers['ratelimit-policy']).toBe('"caller";q=200;w=1');
    expect(first.headers.ratelimit).toBe('"caller";r=399;t=1');
    expect((await ask(busy)).headers.ratelimit).toBe('"caller";r=398;t=1');
    expect((await ask(quiet)).headers.ratelimit).toBe('"caller";r=399;t=1');
  });

  test('logins by account, however it is typed', async () => {
    const login = (email: string) => request(gateway.url).post('/api/v1/auth/login').send({ email, password: 'x' });
    const statuses = [];
    for (let i = 0; i < 12; i++) statuses.push((await login(i % 2 ? 'a@b.c' : ' A@B.C')).status);
    expect(statuses).toEqual([...Array(10).fill(404), 429, 429]);
    const refused = await login('a@b.c');
    expect(Number(refused.headers['retry-after'])).toBe(6);
    expect(refused.headers['ratelimit-policy']).toBe(
      '"caller";q=200;w=1, "login-address";q=100;w=60, "login";q=10;w=60',
    );
    expect((await login('other@b.c')).status).toBe(404);
  });

  test('mails that strangers are sent, by address', async () => {
    const paths = ['register', 'password/forgot'];
    const statuses: number[] = [];
    for (let i = 0; i < 31; i++) {
      statuses.push(
        (
          await request(gateway.url)
            .post(`/api/v1/auth/${paths[i % 2]}`)
            .send({ email: `a${i}@b.c` })
        ).status,
      );
    }
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    expect(statuses.at(-1)).toBe(429);
  });

  test('guesses of a password by who has a token of its owner', async () => {
    const authorization = gateway.bearer({ sub: 'owner' });
    const put = () =>
      request(gateway.url)
        .put('/api/v1/auth/password')
        .set({ authorization })
        .send({ password: 'x', newPassword: 'y' });
    const statuses: number[] = [];
    for (let i = 0; i < 11; i++) statuses.push((await put()).status);
    expect(statuses.slice(0, 10)).not.toContain(429);
    expect(statuses.at(-1)).toBe(429);
  });
});
