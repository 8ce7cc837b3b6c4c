import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { silent } from '../log.ts';
import { testIssuer } from '../testing/tokens.ts';
import { api, ok } from './api.ts';
import { createApp } from './app.ts';

const Any = z.strictObject({
  text: z.string().optional(),
  tree: z.unknown().optional(),
  bag: z.record(z.string(), z.unknown()).optional(),
});
const echo = api('/echo', { tag: 'echo' })
  .post('', { summary: 'Echoes', access: 'anyone', takes: Any, answers: { 200: Any } }, ({ body }) => ok(body))
  .post(
    '/raw',
    { summary: 'Raw', access: 'anyone', raw: true, maxBody: 10, answers: { 200: z.strictObject({ hex: z.string() }) } },
    ({ raw }) => ok({ hex: raw.toString('hex') }),
  );
const { verifier } = testIssuer();
const app = createApp({ name: 'echo', log: silent, routes: [echo], verifier }).callback();
const post = (body: string | Buffer, type = 'application/json') =>
  request(app)
    .post('/api/v1/echo')
    .set('content-type', type)
    .serialize((x) => x as unknown as string)
    .send(body as never);

describe('a body', () => {
  test('of JSON in UTF-8 is taken', async () => {
    expect((await post('{"text":"ä\\u00e4"}')).body).toEqual({ text: 'ää' });
    expect((await post('{"text":"a"}', 'application/json; charset=UTF-8')).status).toBe(200);
  });

  test.each([
    ['text/plain'],
    ['application/json; charset=latin1'],
    ['application/xml'],
    ['application/merge-patch+json'],
    ['multipart/form-data; boundary=x'],
  ])('of type %s is 415', async (type) => {
    expect((await post('{}', type)).body).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  test('that is packed is 415', async () => {
    expect((await post('{}').set('content-encoding', 'gzip')).status).toBe(415);
  });

  test.each([
    ['not JSON', '{"text":'],
    ['an empty text with spaces', '  '],
    ['wrong UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0xff, 0x22, 0x7d])],
    ['a byte order mark', Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])],
    ['NaN', '{"tree":NaN}'],
    ['nesting of 21', `{"tree":${'['.repeat(20)}${']'.repeat(20)}}`],
    ['nesting of 100,000', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['unclosed nesting', '['.repeat(200_000)],
    ['NUL in a text', '{"text":"a\\u0000b"}'],
    ['half a surrogate pair', '{"text":"a\\ud800b"}'],
    ['NUL in a key', '{"bag":{"a\\u0000":1}}'],
    ['__proto__ as a key', '{"bag":{"__proto__":{"admin":true}}}'],
    ['__proto__ as an escaped key', '{"bag":{"\\u005f_proto__":{"admin":true}}}'],
  ])('of %s is 400', async (_, body) => {
    const answer = await post(body);
    expect(answer.body).toMatchObject({ status: 400, code: 'MALFORMED_REQUEST' });
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('of brackets inside a text is not deep', async () => {
    const text = '\\"[{'.repeat(100);
    expect((await post(`{"text":"${text}"}`)).status).toBe(200);
    expect((await post(`{"tree":${'['.repeat(19)}${']'.repeat(19)}}`)).status).toBe(200);
  });

  test('that is missing or no object is 400 with a pointer', async () => {
    expect((await request(app).post('/api/v1/echo')).body).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    for (const body of ['null', '[]', '"a"', '1']) {
      expect((await post(body)).body).toMatchObject({ status: 400, errors: [{ pointer: '' }] });
    }
  });

  test('above the limit is 413, announced or not', async () => {
    const large = `{"text":"${'x'.repeat(256 * 1024)}"}`;
    expect((await post(large)).body).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE', limit: 262_144 });
    const chunked = await new Promise<number | undefined>((resolve, reject) => {
      const server = createServer(app).listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        const headers = { 'content-type': 'application/json' };
        const sent = httpRequest(
          { port, host: '127.0.0.1', method: 'POST', path: '/api/v1/echo', headers },
          (answer) => {
            answer.resume();
            server.close(() => resolve(answer.statusCode));
            server.closeAllConnections();
          },
        );
        sent.on('error', reject);
        sent.write(large);
        sent.end();
      });
    });
    expect(chunked).toBe(413);
    expect((await post(`{"text":"${'x'.repeat(256 * 1024 - 11)}"}`)).status).toBe(200);
  });

  test('of a raw route comes as it is, within its own limit', async () => {
    const send = (bytes: Buffer) => request(app).post('/api/v1/echo/raw').set('content-type', 'image/png').send(bytes);
    expect((await send(Buffer.from([0, 255, 1]))).body).toEqual({ hex: '00ff01' });
    expect((await send(Buffer.alloc(11))).status).toBe(413);
  });
});
