// What holds for every route: the document of it, problems, headers, and that nothing inner can be reached.
import { expect, it } from '@jest/globals';
import { request } from 'undici';
import { expectProblem, expectStatus } from './expectations.ts';
import { SHOP, type World } from './world.ts';

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses?: Readonly<Record<string, unknown>> }>>>
  >;
}

export function surfaceSuite(world: World): void {
  it('is alive, ready, and has a document that people can read', async () => {
    expect((await world.anybody.send('GET', '/healthz')).status).toBe(200);
    expect((await world.anybody.send('GET', '/readyz')).status).toBe(200);
    const docs = await world.anybody.send<string>('GET', '/docs', { headers: { accept: 'text/html' } });
    expect([200, 301, 302, 308]).toContain(docs.status);
  });

  it('describes every route of the contract in OpenAPI 3.1', async () => {
    const { body } = expectStatus(await world.anybody.send<OpenApi>('GET', '/openapi.json'), 200);
    expect(body.openapi).toMatch(/^3\.1\./);
    const operations = Object.entries(body.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{[^}]+\}/g, '{}')}`),
    );
    const wanted = [
      'POST /api/v1/auth/login',
      'POST /api/v1/auth/refresh',
      'POST /api/v1/auth/logout',
      'POST /api/v1/auth/token',
      'GET /api/v1/products',
      'GET /api/v1/products/{}',
      'POST /api/v1/products',
      'PUT /api/v1/products/{}',
      'PUT /api/v1/products/{}/prices/{}',
      'POST /api/v1/products/batch',
      'GET /api/v1/inventory/{}/{}',
      'GET /api/v1/inventory/{}',
      'POST /api/v1/inventory/receipts',
      'POST /api/v1/inventory/adjustments',
      'POST /api/v1/inventory/transfers',
      'GET /api/v1/inventory/transfers/{}',
      'POST /api/v1/inventory/transfers/{}/receipts',
      'POST /api/v1/inventory/write-offs',
      'POST /api/v1/inventory/counts',
      'GET /api/v1/inventory/{}/{}/threshold',
      'PUT /api/v1/inventory/{}/{}/threshold',
      'POST /api/v1/orders',
      'GET /api/v1/orders',
      'GET /api/v1/orders/{}',
      'POST /api/v1/orders/{}/cancel',
      'GET /api/v1/payments',
      'GET /api/v1/payments/{}',
      'GET /api/v1/shops',
      'GET /api/v1/shops/{}',
      'POST /api/v1/shops',
      'PUT /api/v1/shops/{}',
      'GET /api/v1/orders/{}/events',
      'GET /api/v1/payments/{}/events',
      'GET /api/v1/products/{}/events',
      'GET /api/v1/shops/{}/events',
      'GET /api/v1/inventory/{}/{}/events',
      'GET /api/v1/reservations/{}/events',
      'GET /api/v1/notifications/{}/{}/events',
      'GET /api/v1/dead-letters',
      'POST /api/v1/dead-letters/{}/replay',
      'POST /api/v1/dead-letters/{}/discard',
      'GET /api/v1/reports/sales',
    ];
    expect(operations).toEqual(expect.arrayContaining(wanted));
    expect(operations.some((operation) => /^POST (\/api\/v1)?\/webhooks\/provider$/.test(operation))).toBe(true);
    expect(operations.filter((operation) => operation.includes('/internal'))).toEqual([]);
  });

  it('answers 404 to what it does not have, also to what is to come', async () => {
    for (const path of ['/api', '/api/v1', '/api/v1/nothing', '/api/v2/orders', '/api/v1/inventory/transfers/x/y'])
      expectProblem(await world.admin.send('GET', path), 404);
  });

  it('answers 405 with Allow to a wrong method', async () => {
    for (const [method, path] of [
      ['DELETE', '/api/v1/orders'],
      ['PUT', '/api/v1/auth/login'],
      ['PATCH', '/api/v1/shops/x'],
      ['POST', '/api/v1/reports/sales'],
      ['GET', '/api/v1/products/batch/x'],
    ] as const) {
      const answer = await world.admin.send(method, path, method === 'GET' || method === 'DELETE' ? {} : { body: {} });
      if (answer.status === 404 && method === 'GET') continue;
      expectProblem(answer, 405);
      expect(answer.headers.allow).toMatch(/[A-Z]/);
    }
  });

  it('shows nothing inner', async () => {
    for (const path of [
      '/internal/streams/order:x',
      '/api/v1/internal/streams/x',
      '/internal/prices',
      '/v1.0/metadata',
      '/v1.0/invoke/order/method/healthz',
      '/dapr/subscribe',
      '/dapr/config',
      '/api/v1/orders/../internal/openapi',
      '/api/v1/orders/..%2finternal%2fopenapi',
      '//internal/openapi',
    ]) {
      const answer = await request(`${world.anybody.baseUrl}${path}`, {
        headers: { 'dapr-app-id': 'order', 'dapr-api-token': 'x' },
      });
      await answer.body.dump();
      expect([400, 401, 404]).toContain(answer.statusCode);
    }
  });

  it('lets no header of the client choose the service', async () => {
    const headers = {
      'dapr-app-id': 'auth',
      'dapr-caller-app-id': 'gateway',
      'x-forwarded-host': 'evil',
      forwarded: 'host=evil',
      'x-http-method-override': 'DELETE',
    };
    const { body } = expectStatus(
      await world.anybody.send<{ id: string }>('GET', `/api/v1/shops/${SHOP}`, { headers }),
      200,
    );
    expect(body.id).toBe(SHOP);
  });

  it('echoes the request id and continues the trace', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { 'x-request-id': 'req-1', traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const answer = await world.anybody.send('GET', '/api/v1/nothing', { headers });
    expect(answer.headers['x-request-id']).toBe('req-1');
    expect(expectProblem(answer, 404).traceId).toBe(traceId);
    const without = await world.anybody.send('GET', `/api/v1/shops/${SHOP}`);
    expect(without.headers['x-request-id']).toMatch(/.+/);
    const hostile = await world.anybody.send('GET', `/api/v1/shops/${SHOP}`, {
      headers: { 'x-request-id': 'x'.repeat(5_000), traceparent: 'nonsense' },
    });
    expect([200, 431]).toContain(hostile.status);
  });

  it('limits a caller who asks too much, and no other', async () => {
    const started = performance.now();
    const flood = await Promise.all(
      Array.from({ length: 1_500 }, () => world.manager.send('GET', '/api/v1/shops/none')),
    );
    const seconds = (performance.now() - started) / 1_000;
    const limited = flood.filter(({ status }) => status === 429);
    // 400 at once and 200 a second: a machine that is slower than that is never limited.
    expect(flood.length - limited.length).toBeLessThanOrEqual(400 + 200 * (seconds + 1));
    for (const answer of limited.slice(0, 5)) {
      expectProblem(answer, 429);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(answer.headers['ratelimit-policy']).toMatch(/q=\d+/);
      expect(answer.headers.ratelimit).toMatch(/r=\d+/);
    }
    expect((await world.customer.send('GET', `/api/v1/shops/${SHOP}`)).status).toBe(200);
  });

  it('does not put tokens or stack traces in answers', async () => {
    const answer = await world.admin.send('GET', '/api/v1/orders?limit=0');
    expect(JSON.stringify(answer.body)).not.toMatch(/Bearer|eyJ|\.ts:/);
    expect(answer.headers['x-powered-by']).toBeUndefined();
  });
}
