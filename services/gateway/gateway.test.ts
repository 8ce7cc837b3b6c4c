import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { Fault, refuse } from '#kit/errors';
import { type Api, api, created, internal, ok } from '#kit/http/api';
import { createApp } from '#kit/http/app';
import { silent } from '#kit/log';
import { type FakeSidecar, startFakeSidecar } from '#kit/testing/fake-sidecar';
import { testIssuer } from '#kit/testing/tokens';
import { gatewayApp } from './app.ts';
import { services } from './routes.ts';

jest.setTimeout(20_000);

const issuer = testIssuer();
const Any = z.unknown();
/** Longer than anything takes on a busy machine; tests of time-outs have shorter ones. */
const patient = { attempt: 4_000, request: 4_500, command: 9_000, innerWait: 1_000, pause: 20 };
const short = { ...patient, attempt: 300, request: 400, command: 1_000 };

describe('the gateway', () => {
  let fake: FakeSidecar;
  let server: Server;
  let url: string;
  let now = Date.now();
  const seen: { method: string | undefined; url: string | undefined; headers: IncomingHttpHeaders }[] = [];
  const readyFile = join(tmpdir(), `gateway-ready-${process.pid}`);

  function service(name: string, ...routes: Pick<Api, 'routes'>[]) {
    const app = createApp({ name, log: silent, routes, verifier: issuer.verifier, strictAnswers: false });
    const listener = app.callback();
    fake.apps.set(name, (req, res) => {
      seen.push({ method: req.method, url: req.url, headers: req.headers });
      listener(req, res);
    });
  }

  beforeAll(async () => {
    fake = await startFakeSidecar();
    for (const name of services) service(name);
    const app = gatewayApp({
      name: 'gateway',
      log: silent,
      verifier: issuer.verifier,
      sidecar: fake.client,
      origins: ['https://shop.example'],
      readyFile,
      clock: () => new Date(now),
      times: patient,
    });
    server = createServer({ maxHeaderSize: 6_144 }, app.callback());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await fake.close();
    rmSync(readyFile, { force: true });
  });
  afterEach(() => {
    seen.length = 0;
    now += 3_600_000;
  });

  const bearer = (claims = {}) => `Bearer ${issuer.token({ exp: Math.floor(Date.now() / 1_000) + 600, ...claims })}`;

  describe('forwards', () => {
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
      service('product', products);
    });

    test('by the path alone, with query and body as they are', async () => {
      const answer = await request(url).get('/api/v1/products/a%20b?q=%C3%A4');
      expect([answer.status, answer.body]).toEqual([200, { sku: 'a b' }]);
      expect(seen[0]?.url).toBe('/api/v1/products/a%20b?q=%C3%A4');
      expect(seen[0]?.headers['dapr-app-id']).toBe('product');
      const put = await request(url).put('/api/v1/products/x').set('authorization', bearer()).send({ a: 1 });
      expect(put.body).toEqual({ a: 1 });
    });

    test('only headers that it knows, in both directions', async () => {
      const answer = await request(url).get('/api/v1/products/x').set({
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
      const headers = seen[0]?.headers ?? {};
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
      expect((await request(url).get('/api/v1/products/x').set('if-none-match', '"3"')).status).toBe(304);
      const head = await request(url).head('/api/v1/products/x');
      expect([head.status, head.headers['content-length']]).toEqual([200, '11']);
    });

    test('refusals of the service with their problem document and headers', async () => {
      const none = await request(url).delete('/api/v1/products/x').set('authorization', bearer());
      expect(none.body).toMatchObject({ status: 404, code: 'NOT_FOUND', instance: '/api/v1/products/x' });
      const method = await request(url).post('/api/v1/products/x').send({});
      expect([method.status, method.headers.allow]).toEqual([405, 'DELETE, GET, HEAD, PUT']);
      expect((await request(url).put('/api/v1/products/x').send({ a: 1 })).headers['www-authenticate']).toBe(
        'Bearer realm="retail-erp"',
      );
    });

    test('nothing that is not in its table', async () => {
      for (const path of [
        '/',
        '/api',
        '/api/v1',
        '/api/v1/audit',
        '/api/v1/notifications',
        '/api/v1/productsx',
        '/API/v1/products/x',
        '/api/v2/products/x',
        '/internal/openapi',
        '/internal/accounts/x',
        '/dapr/subscribe',
        '/v1.0/metadata',
        '/.well-known/jwks.json/x',
        '/webhooks/provider/x',
      ]) {
        expect((await request(url).get(path)).body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
      }
      expect(seen).toEqual([]);
    });

    test('no bad token', async () => {
      for (const token of [`Bearer ${issuer.token({ exp: 1 })}`, 'Bearer x.y.z', 'Basic YTpi']) {
        const answer = await request(url).get('/api/v1/products/x').set('authorization', token);
        expect([answer.status, answer.body.code]).toEqual([401, 'UNAUTHENTICATED']);
      }
      expect(seen).toEqual([]);
    });

    test('no body that is too large', async () => {
      const send = (path: string, size: number) =>
        request(url)
          .post(path)
          .set('content-type', 'application/json')
          .send(`"${'x'.repeat(size)}"`);
      expect((await send('/api/v1/products', 256 * 1024)).body).toMatchObject({
        status: 413,
        code: 'PAYLOAD_TOO_LARGE',
      });
      expect((await send('/api/v1/inventory/receipts', 2 * 1024 * 1024)).status).toBe(413);
      expect(seen).toEqual([]);
      await send('/api/v1/inventory/receipts', 2 * 1024 * 1024 - 2);
      expect(seen).toHaveLength(1);
    });
  });

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
      service('payment', routes);
    });
    afterEach(() => {
      tries = 0;
      fake.intercept = undefined;
      reaction = () => ok({ done: true });
    });
    const get = () => request(url).get('/api/v1/payments/x');
    const keyed = () => request(url).post('/api/v1/payments').set('idempotency-key', 'k');
    const plain = () => request(url).post('/api/v1/payments/plain');
    const hasty = () =>
      gatewayApp({
        name: 'g',
        log: silent,
        verifier: issuer.verifier,
        sidecar: fake.client,
        origins: [],
        times: short,
      }).callback();
    const slow = (ms: number) => new Promise((resolve) => setTimeout(() => resolve(ok({ done: true })), ms));

    function breaking(times: number, how: 'break' | { status: number; body: unknown }) {
      let left = times;
      fake.intercept = () => {
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
      expect((await request(hasty()).get('/api/v1/payments/x')).status).toBe(503);
      expect(Date.now() - started).toBeLessThan(2_000);
    });

    test('sends a keyed command that takes long again until it is done, or its time is over', async () => {
      const keyed = () => request(hasty()).post('/api/v1/payments').set('idempotency-key', 'k');
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
      const whole = fake.apps.get('payment');
      for (const [status, headers, body] of answers) {
        fake.apps.set('payment', (_, res) => void res.writeHead(status, headers).end(body));
        expect((await get()).body).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
      }
      if (whole) fake.apps.set('payment', whole);
    });

    test('answers 503 for a service that is not there', async () => {
      const app = fake.apps.get('shop');
      fake.apps.delete('shop');
      expect((await request(url).get('/api/v1/shops/x')).status).toBe(503);
      if (app) fake.apps.set('shop', app);
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
            query: z.strictObject({ wait: z.int().max(30).optional() }),
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
      service('order', routes);
    });
    afterEach(() => {
      waits.length = 0;
    });
    // The inner wait is 1 s and one try 1.3 s here.
    const app = () =>
      gatewayApp({
        name: 'g',
        log: silent,
        verifier: issuer.verifier,
        sidecar: fake.client,
        origins: [],
        times: patient,
      });
    const read = (wait: number) =>
      request(app().callback()).get(`/api/v1/orders/o1?wait=${wait}`).set('authorization', bearer());
    const place = (prefer: string) =>
      request(app().callback()).post('/api/v1/orders').set({ authorization: bearer(), 'idempotency-key': 'k', prefer });

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
      const asked = fetch(`${url}/api/v1/orders/o1?wait=30`, {
        headers: { authorization: bearer() },
        signal: abort.signal,
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      abort.abort();
      await expect(asked).rejects.toThrow();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(waits).toHaveLength(1);
    });

    test('out of range is for the service to refuse', async () => {
      const answer = await request(url).get('/api/v1/orders/o1?wait=99').set('authorization', bearer());
      expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer: '/wait' }] });
    });
  });

  describe('limits', () => {
    test('every caller for itself', async () => {
      const [busy, quiet] = [bearer({ sub: 'busy' }), bearer({ sub: 'quiet' })];
      const ask = (token: string) => request(url).get('/api/v1/reports/x').set('authorization', token);
      const first = await ask(busy);
      expect(first.headers['ratelimit-policy']).toBe('"caller";q=200;w=1');
      expect(first.headers.ratelimit).toBe('"caller";r=399;t=1');
      expect((await ask(busy)).headers.ratelimit).toBe('"caller";r=398;t=1');
      expect((await ask(quiet)).headers.ratelimit).toBe('"caller";r=399;t=1');
    });

    test('logins by account, however it is typed', async () => {
      const login = (email: string) => request(url).post('/api/v1/auth/login').send({ email, password: 'x' });
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
  });

  describe('answers itself', () => {
    test('ready when every service is and the data is in', async () => {
      const wait = () => new Promise((resolve) => setTimeout(resolve, 550));
      const before = await request(url).get('/readyz');
      expect([before.status, before.body.checks.data, before.body.checks.order]).toEqual([503, false, true]);
      writeFileSync(readyFile, '');
      await wait();
      expect((await request(url).get('/readyz')).status).toBe(200);
      const app = fake.apps.get('report');
      fake.apps.delete('report');
      await wait();
      expect((await request(url).get('/readyz')).body.checks).toMatchObject({ report: false, auth: true });
      if (app) fake.apps.set('report', app);
      expect((await request(url).get('/healthz')).status).toBe(200);
    });

    test('one document of all services', async () => {
      const Money = z.strictObject({ amount: z.int() }).meta({ id: 'Money' });
      const Other = z.strictObject({ cents: z.int() }).meta({ id: 'Money' });
      service(
        'shop',
        api('/shops', { tag: 'shops' }).get('/:id', { summary: 'S', access: 'anyone', answers: { 200: Money } }, () =>
          ok({ amount: 1 }),
        ),
        internal('/x').get('', { summary: '', answers: {} }, () => ok(1) as never),
      );
      service(
        'report',
        api('/reports', { tag: 'reports' }).get(
          '/sales',
          { summary: 'R', access: { can: 'report:read' }, answers: { 200: Other } },
          () => ok({ cents: 1 }),
        ),
        api('/elsewhere', { tag: 'x' }).get('', { summary: '', access: 'anyone', answers: { 200: null } }, () =>
          ok(null),
        ),
      );
      const answer = await request(url).get('/openapi.json');
      expect(answer.headers['content-type']).toMatch(/^application\/json/);
      const document = answer.body;
      expect(document.openapi).toMatch(/^3\.1\./);
      expect(Object.keys(document.paths)).toEqual(
        expect.arrayContaining([
          '/api/v1/shops/{id}',
          '/api/v1/reports/sales',
          '/api/v1/orders/{id}',
          '/webhooks/provider',
          '/api/v1/webhooks/provider',
          '/healthz',
        ]),
      );
      expect(Object.keys(document.paths).filter((path) => /internal|elsewhere/.test(path))).toEqual([]);
      expect(document.components.schemas).toMatchObject({
        Money: { properties: { amount: {} } },
        report_Money: { properties: { cents: {} } },
        Problem: {},
      });
      const references = [...answer.text.matchAll(/#\/components\/schemas\/([^"]+)/g)].map(([, name]) => name);
      for (const name of references) expect(document.components.schemas).toHaveProperty([name ?? '']);
      expect(document.paths['/api/v1/reports/sales'].get.responses['200'].content['application/json'].schema).toEqual({
        $ref: '#/components/schemas/report_Money',
      });
      const ids = Object.values(document.paths).flatMap((item) =>
        Object.values(item as Record<string, { operationId: string }>).map((operation) => operation.operationId),
      );
      expect(new Set(ids).size).toBe(ids.length);
    });

    test('a page to read it, that loads nothing from outside', async () => {
      const page = await request(url).get('/docs');
      expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
      const local = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
      for (const path of local) {
        expect(path).toMatch(/^\/docs\//);
        expect((await request(url).get(path)).status).toBe(200);
      }
      for (const path of ['/docs/../package.json', '/docs/package.json', '/docs/constructor', '/docs/x']) {
        expect([400, 404]).toContain((await request(url).get(path)).status);
      }
    });

    test('nothing to other origins, unless they are named', async () => {
      const preflight = (origin: string) =>
        request(url).options('/api/v1/products').set({ origin, 'access-control-request-method': 'POST' });
      const named = await preflight('https://shop.example');
      expect([named.status, named.headers['access-control-allow-origin']]).toEqual([204, 'https://shop.example']);
      expect(named.headers['access-control-allow-credentials']).toBeUndefined();
      const other = await preflight('https://evil.example');
      expect([other.status, other.headers['access-control-allow-origin']]).toEqual([405, undefined]);
    });

    test('a webhook goes on byte by byte, with its signature and no token', async () => {
      let got: { body: string; signature: unknown; authorization: unknown } | undefined;
      const hooks = internal('/webhooks').post('', { summary: 'Hook', raw: true, answers: { 200: Any } }, (call) => {
        got = {
          body: call.raw.toString(),
          signature: call.header('stripe-signature'),
          authorization: call.header('authorization'),
        };
        return ok({ received: true });
      });
      service('payment-provider', hooks);
      for (const path of ['/webhooks/provider', '/api/v1/webhooks/provider']) {
        const body = '{ "a" :  1.0 }\n';
        const answer = await request(url)
          .post(path)
          .set({ 'content-type': 'application/json', 'stripe-signature': 't=1,v1=abc' })
          .serialize((x) => x as never)
          .send(body as never);
        expect(answer.status).toBe(200);
        expect(got).toEqual({ body, signature: 't=1,v1=abc', authorization: undefined });
      }
      expect((await request(url).get('/webhooks/provider')).headers.allow).toBe('POST');
    });
  });
});
