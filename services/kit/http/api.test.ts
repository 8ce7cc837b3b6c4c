import { afterEach, describe, expect, test } from '@jest/globals';
import type Koa from 'koa';
import request from 'supertest';
import { z } from 'zod';
import { Fault, refuse } from '../errors.ts';
import { silent } from '../log.ts';
import { testIssuer } from '../testing/tokens.ts';
import { type Api, api, created, internal, noContent, ok } from './api.ts';
import { createApp } from './app.ts';
import { page, paged, pageOf } from './paging.ts';

const issuer = testIssuer();
const bearer = (claims?: Record<string, unknown>) => `Bearer ${issuer.token(claims)}`;

function appOf(...routes: Pick<Api, 'routes'>[]): ReturnType<Koa['callback']> {
  return createApp({ name: 'loyalty', log: silent, routes, verifier: issuer.verifier }).callback();
}

const Account = z.strictObject({ id: z.string(), points: z.int().min(0) }).meta({ id: 'Account' });
const Spend = z.strictObject({ points: z.int().min(1), note: z.string().max(10).optional() });

describe('a route', () => {
  const seen: unknown[] = [];
  afterEach(() => {
    seen.length = 0;
  });
  const routes = api('/accounts', { tag: 'loyalty' })
    .get(
      '/:id',
      { summary: 'Reads', access: 'caller', answers: { 200: Account } },
      ({ params, caller, minVersion, wait }) => {
        seen.push({ caller: caller.id, minVersion, wait });
        return params.id === 'gone' ? refuse('NOT_FOUND') : ok({ id: params.id, points: 3 }, { version: 7 });
      },
    )
    .get(
      '',
      {
        summary: 'Lists',
        access: 'anyone',
        query: z.strictObject({
          ...paged(z.strictObject({ after: z.string() })),
          sku: z.array(z.string()).optional(),
          open: z.boolean().optional(),
        }),
        answers: { 200: pageOf(Account) },
      },
      (call) => {
        seen.push(call.query);
        return page(call, [{ id: 'a', points: 1 }], call.query.cursor ? undefined : { after: 'a' }, { stale: true });
      },
    )
    .post(
      '/:id/spend',
      { summary: 'Spends', access: { can: 'order:write' }, keyed: true, takes: Spend, answers: { 201: Account } },
      ({ params, body, key, commandId, payloadHash, origin }) => {
        seen.push({ body, key, commandId, payloadHash, actor: origin.actor });
        return created(
          `/api/v1/accounts/${params.id}`,
          { id: params.id, points: body.points },
          { version: 1, replayed: true },
        );
      },
    )
    .put(
      '/:id',
      { summary: 'Changes', access: 'caller', guarded: true, takes: Spend, answers: { 204: null } },
      ({ ifMatch }) => {
        seen.push(ifMatch);
        return ifMatch === 7 ? noContent({ version: 8 }) : refuse('PRECONDITION_FAILED', { current: 7 });
      },
    )
    .post('/:id/fail', { summary: 'Fails', access: 'anyone', answers: { 200: null } }, ({ params }) => {
      throw params.id === 'fault'
        ? new Fault('ERR_DIRECT_INVOKE inner text', { retryAfter: 3 })
        : new Error('secret inner text');
    });
  const hidden = internal('/prices').post(
    '',
    { summary: 'Prices', takes: Spend, answers: { 200: Spend } },
    ({ body }) => ok(body),
  );
  const app = appOf(routes, hidden);

  test('answers with the version as ETag and 304 to who holds it', async () => {
    const first = await request(app).get('/api/v1/accounts/x').set('authorization', bearer());
    expect(first.status).toBe(200);
    expect(first.body).toEqual({ id: 'x', points: 3 });
    expect(first.headers.etag).toBe('"7"');
    expect(first.headers['x-body-length']).toBe(String(first.text.length));
    const again = await request(app)
      .get('/api/v1/accounts/x')
      .set('authorization', bearer())
      .set('if-none-match', 'W/"7", "9"');
    expect(again.status).toBe(304);
    expect(again.text).toBe('');
  });

  test('needs a token, and says so as RFC 6750 wants', async () => {
    const answer = await request(app).get('/api/v1/accounts/x');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="retail-erp"');
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ code: 'UNAUTHENTICATED', status: 401, instance: '/api/v1/accounts/x' });
    expect(answer.body.traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  test('needs the permission', async () => {
    const post = (perm: string[]) =>
      request(app)
        .post('/api/v1/accounts/x/spend')
        .set('authorization', bearer({ perm }))
        .set('idempotency-key', 'k')
        .send({ points: 1 });
    expect((await post([])).body).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect((await post(['order:write'])).status).toBe(201);
  });

  test('needs an Idempotency-Key of 1 to 255 characters, and gives the command one id', async () => {
    const post = (key?: string, points = 1, sub = 'someone') => {
      const sent = request(app)
        .post('/api/v1/accounts/x/spend')
        .set('authorization', bearer({ perm: ['order:write'], sub }));
      return (key === undefined ? sent : sent.set('idempotency-key', key)).send({ points });
    };
    expect((await post()).body).toMatchObject({ status: 400, code: 'IDEMPOTENCY_KEY_MISSING' });
    expect((await post('k'.repeat(256))).status).toBe(400);
    const answer = await post('k'.repeat(255));
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({
      location: '/api/v1/accounts/x',
      'idempotent-replayed': 'true',
      etag: '"1"',
    });
    await post('one');
    await post('one');
    await post('one', 2);
    await post('one', 1, 'another');
    const [, first, repeat, changed, other] = seen as { commandId: string; payloadHash: string }[];
    expect(repeat).toEqual(first);
    expect(changed?.commandId).toBe(first?.commandId);
    expect(changed?.payloadHash).not.toBe(first?.payloadHash);
    expect(other?.commandId).not.toBe(first?.commandId);
  });

  test('points at every field that is wrong', async () => {
    const answer = await request(app)
      .post('/api/v1/accounts/x/spend')
      .set('authorization', bearer({ perm: ['order:write'] }))
      .set('idempotency-key', 'k')
      .send({ points: '1', note: 'far too long text', more: 1, 'a/b': 2 });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('VALIDATION_FAILED');
    expect(answer.body.errors.map((e: { pointer: string }) => e.pointer).sort()).toEqual([
      '/a~1b',
      '/more',
      '/note',
      '/points',
    ]);
  });

  test('needs If-Match, and knows a stale one', async () => {
    const put = (etag?: string) => {
      const sent = request(app).put('/api/v1/accounts/x').set('authorization', bearer());
      return (etag === undefined ? sent : sent.set('if-match', etag)).send({ points: 1 });
    };
    expect((await put()).body).toMatchObject({ status: 428, code: 'PRECONDITION_REQUIRED' });
    expect((await put('"6"')).body).toMatchObject({ status: 412, code: 'PRECONDITION_FAILED', current: 7 });
    expect((await put('W/"7"')).status).toBe(412);
    expect((await put('"abc"')).status).toBe(412);
    expect((await put('*')).status).toBe(400);
    expect((await put('"7", "8"')).status).toBe(400);
    const good = await put('"7"');
    expect(good.status).toBe(204);
    expect(good.headers.etag).toBe('"8"');
  });

  test('reads query parameters by their schema', async () => {
    const answer = await request(app).get('/api/v1/accounts?limit=5&sku=a&sku=b%20c&open=true');
    expect(answer.status).toBe(200);
    expect(seen).toEqual([{ limit: 5, sku: ['a', 'b c'], open: true }]);
    expect(answer.headers['x-stale']).toBe('true');
    expect(answer.headers.link).toMatch(
      /^<\/api\/v1\/accounts\?limit=5&sku=a&sku=b\+c&open=true&cursor=[\w-]+>; rel="next"$/,
    );
    const second = await request(app).get(`/api/v1/accounts?cursor=${answer.body.next}`);
    expect(second.body.next).toBeNull();
    expect(seen[1]).toEqual({ limit: 20, cursor: { after: 'a' } });
  });

  test.each([
    ['unknown=1', '/unknown'],
    ['limit=0', '/limit'],
    ['limit=101', '/limit'],
    ['limit=1e1', '/limit'],
    ['limit=5&limit=6', '/limit'],
    ['open=yes', '/open'],
    ['cursor=abc', '/cursor'],
    ['cursor=eyJ4IjoxfQ', '/cursor'],
    ['__proto__=1', '/__proto__'],
    ['constructor=1', '/constructor'],
  ])('refuses the query %s', async (query, pointer) => {
    const answer = await request(app).get(`/api/v1/accounts?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([expect.objectContaining({ pointer, in: 'query' })]);
  });

  test('refuses a query that is no UTF-8 or holds NUL, and a path that cannot be decoded', async () => {
    expect((await request(app).get('/api/v1/accounts?sku=%ff')).body.code).toBe('MALFORMED_REQUEST');
    expect((await request(app).get('/api/v1/accounts?sku=%00')).body.code).toBe('MALFORMED_REQUEST');
    expect((await request(app).get('/api/v1/accounts/%ff').set('authorization', bearer())).status).toBe(400);
    expect((await request(app).get('/api/v1/accounts/%00').set('authorization', bearer())).status).toBe(404);
  });

  test('takes no query and no body where none is declared', async () => {
    const answer = await request(app).get('/api/v1/accounts/x?full=1').set('authorization', bearer());
    expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer: '/full', in: 'query' }] });
    expect((await request(app).post('/api/v1/accounts/fault/fail').send({ a: 1 })).status).toBe(400);
  });

  test('reads X-Min-Version and Prefer', async () => {
    const get = (headers: Record<string, string>) =>
      request(app).get('/api/v1/accounts/x').set('authorization', bearer()).set(headers);
    await get({ 'x-min-version': 'a@b@12', prefer: 'respond-async, wait=90' });
    await get({ prefer: 'wait="4"; x=1' });
    await get({ prefer: 'wait=soon' });
    await get({ 'x-min-version': 'th%C3%A9@1' });
    await get({ 'x-min-version': '100%@2' });
    expect(seen).toEqual([
      { caller: 'someone', minVersion: { id: 'a@b', version: 12 }, wait: 30 },
      { caller: 'someone', minVersion: undefined, wait: 4 },
      { caller: 'someone', minVersion: undefined, wait: undefined },
      { caller: 'someone', minVersion: { id: 'thé', version: 1 }, wait: undefined },
      { caller: 'someone', minVersion: { id: '100%', version: 2 }, wait: undefined },
    ]);
    expect((await get({ 'x-min-version': 'nothing' })).body).toMatchObject({
      status: 400,
      errors: [{ pointer: '/x-min-version' }],
    });
  });

  test('turns a fault into 503 and a bug into 500, and says nothing of the inside', async () => {
    const fault = await request(app).post('/api/v1/accounts/fault/fail');
    expect(fault.status).toBe(503);
    expect(fault.headers['retry-after']).toBe('3');
    expect(fault.body.code).toBe('UNAVAILABLE');
    const bug = await request(app).post('/api/v1/accounts/bug/fail');
    expect(bug.body).toMatchObject({ status: 500, code: 'INTERNAL' });
    for (const { text } of [fault, bug]) expect(text).not.toMatch(/inner|ERR_/);
  });

  test('serves internal routes without a token', async () => {
    expect((await request(app).post('/internal/prices').send({ points: 2 })).body).toEqual({ points: 2 });
  });

  test('refuses an answer that its schema does not allow', async () => {
    const wrong = api('/wrong', { tag: 'x' }).get(
      '',
      { summary: 'Lies', access: 'anyone', answers: { 200: Account } },
      () => ok({ id: 'x', points: -1 }),
    );
    expect((await request(appOf(wrong)).get('/api/v1/wrong')).status).toBe(500);
  });

  test('cannot be defined with a schema that lets unknown fields pass', () => {
    const loose = z.strictObject({ lines: z.array(z.object({ sku: z.string() })) });
    const define = () =>
      api('/x', { tag: 'x' }).post(
        '',
        { summary: '', access: 'anyone', takes: loose, answers: {} },
        () => noContent() as never,
      );
    expect(define).toThrow(/POST \/api\/v1\/x takes: \/lines lets unknown fields pass/);
  });
});
