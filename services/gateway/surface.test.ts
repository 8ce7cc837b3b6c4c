import { writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { api, internal, ok } from '#kit/http/api';
import { gatewayUnderTest } from './testing.ts';

const Any = z.unknown();
const gateway = gatewayUnderTest();

describe('the gateway answers itself', () => {
  test('ready when every service is and the data is in', async () => {
    const wait = () => new Promise((resolve) => setTimeout(resolve, 550));
    const before = await request(gateway.url).get('/readyz');
    expect([before.status, before.body.checks.data, before.body.checks.order]).toEqual([503, false, true]);
    writeFileSync(gateway.readyFile, '');
    await wait();
    expect((await request(gateway.url).get('/readyz')).status).toBe(200);
    const app = gateway.fake.apps.get('report');
    gateway.fake.apps.delete('report');
    await wait();
    expect((await request(gateway.url).get('/readyz')).body.checks).toMatchObject({ report: false, auth: true });
    if (app) gateway.fake.apps.set('report', app);
    expect((await request(gateway.url).get('/healthz')).status).toBe(200);
  });

  test('one document of all services', async () => {
    const Money = z.strictObject({ amount: z.int() }).meta({ id: 'Money' });
    const Other = z.strictObject({ cents: z.int() }).meta({ id: 'Money' });
    gateway.service(
      'shop',
      api('/shops', { tag: 'shops' }).get('/:id', { summary: 'S', access: 'anyone', answers: { 200: Money } }, () =>
        ok({ amount: 1 }),
      ),
      internal('/x').get('', { summary: '', answers: {} }, () => ok(1) as never),
    );
    gateway.service(
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
    const answer = await request(gateway.url).get('/openapi.json');
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    const document = answer.body;
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/shops/{id}',
        '/api/v1/reports/sales',
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
    const page = await request(gateway.url).get('/docs');
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
    const local = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    for (const path of local) {
      expect(path).toMatch(/^\/docs\//);
      expect((await request(gateway.url).get(path)).status).toBe(200);
    }
    for (const path of ['/docs/../package.json', '/docs/package.json', '/docs/constructor', '/docs/x']) {
      expect([400, 404]).toContain((await request(gateway.url).get(path)).status);
    }
  });

  test('nothing to other origins, unless they are named', async () => {
    const preflight = (origin: string) =>
      request(gateway.url).options('/api/v1/products').set({ origin, 'access-control-request-method': 'POST' });
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
    gateway.service('payment-provider', hooks);
    for (const path of ['/webhooks/provider', '/api/v1/webhooks/provider']) {
      const body = '{ "a" :  1.0 }\n';
      const answer = await request(gateway.url)
        .post(path)
        .set({ 'content-type': 'application/json', 'stripe-signature': 't=1,v1=abc' })
        .serialize((x) => x as never)
        .send(body as never);
      expect(answer.status).toBe(200);
      expect(got).toEqual({ body, signature: 't=1,v1=abc', authorization: undefined });
    }
    expect((await request(gateway.url).get('/webhooks/provider')).headers.allow).toBe('POST');
  });
});
