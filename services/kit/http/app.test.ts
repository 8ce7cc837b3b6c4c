import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type pino from 'pino';
import request from 'supertest';
import { z } from 'zod';
import { refuse } from '../errors.ts';
import { createLog, silent } from '../log.ts';
import { testIssuer } from '../testing/tokens.ts';
import { type Api, api, internal, ok } from './api.ts';
import { type AppParts, createApp } from './app.ts';

const { verifier } = testIssuer();
const Text = z.strictObject({ text: z.string() });
const echo = api('/echo', { tag: 'echo' })
  .post('', { summary: 'Echoes', access: 'anyone', takes: Text, answers: { 200: Text } }, ({ body }) => ok(body))
  .get(
    '/:id',
    { summary: 'One', access: 'anyone', answers: { 200: z.strictObject({ id: z.string() }) } },
    ({ params }) => ok({ id: params.id }),
  )
  .post(
    '/raw',
    { summary: 'Raw', access: 'anyone', raw: true, maxBody: 10, answers: { 200: z.strictObject({ hex: z.string() }) } },
    ({ raw }) => ok({ hex: raw.toString('hex') }),
  )
  .post('/odd', { summary: 'Odd', access: 'anyone', answers: { 200: null } }, () =>
    refuse('NOT_IN_THE_TABLE', { text: 'inner' }),
  );

function appOf(parts: Partial<AppParts> = {}) {
  return createApp({
    name: 'echo',
    log: silent,
    routes: [echo] as Pick<Api, 'routes'>[],
    verifier,
    ...parts,
  }).callback();
}
const app = appOf();
describe('an app', () => {
  test('knows 404 from 405', async () => {
    expect((await request(app).get('/api/v1/other')).body).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
      instance: '/api/v1/other',
    });
    expect((await request(app).get('/api/v1/echo/a/')).status).toBe(404);
    expect((await request(app).get('/API/v1/echo/a')).status).toBe(404);
    const wrong = await request(app).delete('/api/v1/echo/raw');
    expect([wrong.status, wrong.headers.allow, wrong.body.code]).toEqual([
      405,
      'GET, HEAD, POST',
      'METHOD_NOT_ALLOWED',
    ]);
    expect((await request(app).options('/api/v1/echo')).headers.allow).toBe('POST');
  });

  test('answers HEAD like GET without a body', async () => {
    const head = await request(app).head('/api/v1/echo/a');
    expect([head.status, head.headers['content-type'], head.text]).toEqual([
      200,
      'application/json; charset=utf-8',
      undefined,
    ]);
  });

  test('decodes path parameters once', async () => {
    expect((await request(app).get('/api/v1/echo/a%20%2542')).body).toEqual({ id: 'a %42' });
  });

  test('echoes a sane request id and replaces another', async () => {
    const ask = (id: string) => request(app).get('/api/v1/echo/a').set('x-request-id', id);
    expect((await ask('req-1.a:b')).headers['x-request-id']).toBe('req-1.a:b');
    for (const id of ['a b', '<script>', 'x'.repeat(129), '"']) {
      expect((await ask(id)).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test('continues a trace and begins one when there is none', async () => {
    const trace = 'a'.repeat(32);
    const ask = (traceparent: string) => request(app).get('/api/v1/none').set('traceparent', traceparent);
    const answer = await ask(`00-${trace}-${'b'.repeat(16)}-00`);
    expect(answer.body.traceId).toBe(trace);
    expect(answer.headers.traceparent).toMatch(new RegExp(`^00-${trace}-(?!b{16})[0-9a-f]{16}-00$`));
    for (const bad of [
      'x',
      `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
      `ff-${trace}-${'b'.repeat(16)}-01`,
      `00-${trace.toUpperCase()}-${'b'.repeat(16)}-01`,
    ]) {
      const fresh = await ask(bad);
      expect(fresh.headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(fresh.body.traceId).not.toMatch(/^[0a]+$/);
    }
  });

  test('refuses two of a header that must be one', async () => {
    const answer = await request(app)
      .get('/api/v1/echo/a')
      .set('x-min-version', ['a@1', 'b@2'] as never);
    expect(answer.status).toBe(400);
  });

  test('answers 500 for a refusal that the table does not know, without its text', async () => {
    const answer = await request(app).post('/api/v1/echo/odd');
    expect(answer.body).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(answer.text).not.toMatch(/inner|NOT_IN/);
  });

  test('lets only the sidecar in, except to its health', async () => {
    const closed = appOf({
      appToken: 'token',
      middleware: [
        async (ctx, next) => {
          if (ctx.path === '/dapr/x') ctx.body = 'x';
          else await next();
        },
      ],
    });
    const ask = (path: string, token?: string) =>
      token === undefined ? request(closed).get(path) : request(closed).get(path).set('dapr-api-token', token);
    for (const path of ['/api/v1/echo/a', '/dapr/x', '/internal/openapi', '/none']) {
      expect((await ask(path)).body).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
      expect((await ask(path, 'toke')).status).toBe(401);
      expect((await ask(path, 'token')).status).toBe(path === '/none' ? 404 : 200);
    }
    for (const path of ['/healthz', '/readyz', '/metrics']) expect((await ask(path)).status).toBe(200);
  });

  test('is ready when everything it needs is', async () => {
    let sidecar = true;
    let draining = false;
    const own = appOf({ ready: async () => ({ sidecar }), draining: () => draining });
    expect((await request(own).get('/readyz')).body).toEqual({ status: 'ready', checks: { sidecar: true } });
    sidecar = false;
    const waiting = await request(own).get('/readyz');
    expect([waiting.status, waiting.body.checks]).toEqual([503, { sidecar: false }]);
    sidecar = true;
    draining = true;
    expect((await request(own).get('/readyz')).status).toBe(503);
    expect((await request(own).get('/healthz')).status).toBe(200);
    const broken = appOf({
      ready: async () => {
        throw new Error('inner');
      },
    });
    expect((await request(broken).get('/readyz')).status).toBe(503);
    expect((await request(own).post('/readyz')).headers.allow).toBe('GET, HEAD');
  });

  test('counts requests by route template, not by path', async () => {
    const own = appOf();
    await request(own).get('/api/v1/echo/one');
    await request(own).get('/api/v1/echo/two');
    await request(own).get('/nothing/here');
    const { text, headers } = await request(own).get('/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('http_server_requests_total{method="GET",route="/api/v1/echo/:id",status="200"} 2');
    expect(text).toContain('http_server_requests_total{method="GET",route="unmatched",status="404"} 1');
    expect(text).toContain(
      'http_server_request_duration_seconds_bucket{method="GET",route="/api/v1/echo/:id",le="+Inf"} 2',
    );
    expect(text).toMatch(/process_resident_memory_bytes \d+/);
    expect(text).not.toContain('/one');
  });

  test('logs one line per request and never a token', async () => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk, _, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const own = appOf({ log: createLog('echo', 'debug', sink as unknown as pino.DestinationStream) });
    await request(own).get('/api/v1/echo/a?token=in-the-query').set('authorization', 'Bearer in-the-header');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'debug',
      service: 'echo',
      msg: 'request',
      status: 401,
      path: '/api/v1/echo/a',
    });
    expect(lines[0]).not.toMatch(/in-the-query|in-the-header/);
  });

  test('describes its public routes, and only those', async () => {
    const Line = z.strictObject({ sku: z.string(), quantity: z.int().default(1) }).meta({ id: 'Line' });
    const sell = api('/sales', { tag: 'sales' }).post(
      '/:id/lines',
      {
        summary: 'Adds a line',
        access: { can: 'order:sell' },
        keyed: true,
        guarded: true,
        query: z.strictObject({ sku: z.array(z.string()).optional(), limit: z.int().max(100).default(20) }),
        takes: z.strictObject({ line: Line }),
        answers: { 201: z.strictObject({ line: Line }) },
        refusals: ['STOCK_INSUFFICIENT'],
      },
      ({ body }) => ok(body),
    );
    const own = appOf({
      routes: [sell, internal('/x').get('', { summary: 'X', answers: { 200: null } }, () => refuse('NOT_FOUND'))],
    });
    const { body } = await request(own).get('/internal/openapi');
    expect(Object.keys(body.paths)).toEqual(['/api/v1/sales/{id}/lines']);
    const operation = body.paths['/api/v1/sales/{id}/lines'].post;
    expect(operation).toMatchObject({
      summary: 'Adds a line',
      tags: ['sales'],
      security: [{ bearer: [] }],
      description: 'Needs `order:sell`.',
    });
    expect(
      operation.parameters.map(
        (p: { name: string; in: string; required: boolean }) => `${p.in} ${p.name} ${p.required}`,
      ),
    ).toEqual([
      'path id true',
      'query sku false',
      'query limit false',
      'header Idempotency-Key true',
      'header If-Match true',
    ]);
    expect(operation.requestBody.content['application/json'].schema.properties.line).toEqual({
      $ref: '#/components/schemas/Line',
    });
    expect(operation.responses['201'].content['application/json'].schema.properties.line).toEqual({
      $ref: '#/components/schemas/LineOutput',
    });
    expect(body.schemas.Line).toMatchObject({ required: ['sku'], additionalProperties: false });
    expect(body.schemas.LineOutput).toMatchObject({ required: ['sku', 'quantity'] });
    expect(Object.keys(operation.responses)).toEqual([
      '201',
      '400',
      '401',
      '403',
      '404',
      '409',
      '412',
      '413',
      '415',
      '422',
      '428',
      '429',
      '500',
      '503',
    ]);
    expect(operation.responses['409'].description).toContain('STOCK_INSUFFICIENT');
  });
});
