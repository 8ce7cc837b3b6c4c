import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type Koa from 'koa';
import { createApp } from '#kit/http/app';
import { serve } from '#kit/http/service';
import { silent } from '#kit/log';
import { testIssuer } from '#kit/testing/tokens';
import { isPlainTarget, onlyPlainRequests } from './plain-request.ts';

describe('a target', () => {
  test.each(
    ['/', '/a', '/a/b.c', '/a?b=/../c&d=//', '/a%20b', '/%C3%A4', "/'; drop table", '/a;b=c', '/a:b', '/...'].filter(
      (t) => !t.includes(' '),
    ),
  )('is plain: %s', (target) => expect(isPlainTarget(target)).toBe(true));
  test.each([
    'http://evil/a',
    '*',
    '',
    'a',
    '//a',
    '/a//b',
    '/./a',
    '/../a',
    '/a/..',
    '/a/.',
    '/a/%2e%2e/b',
    '/a/%2E/b',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a\\b',
    '/a%00',
    '/a%0d%0ab',
    '/a%7f',
    '/%ff',
    '/%',
    '/%g1',
    '/a#b',
    '/ä',
    '/a b',
  ])('is not plain: %s', (target) => expect(isPlainTarget(target)).toBe(false));
});

describe('on a raw connection', () => {
  let server: Server;
  let port: number;
  const reached: string[] = [];
  beforeAll(async () => {
    const app = createApp({
      name: 'edge',
      log: silent,
      routes: [],
      verifier: testIssuer().verifier,
      outermost: true,
      middleware: [
        onlyPlainRequests(),
        async (ctx: Koa.Context) => {
          for await (const _ of ctx.req) reached.push('body');
          reached.push(`${ctx.method} ${ctx.url}`);
          ctx.body = 'ok';
        },
      ],
    });
    server = serve(app, 6_144);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Sends bytes and answers the status lines that came back. */
  async function send(text: string): Promise<string[]> {
    reached.length = 0;
    const answer = await new Promise<string>((resolve) => {
      const chunks: Buffer[] = [];
      const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'));
      socket.setTimeout(400, () => socket.destroy());
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    });
    return [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status ?? '');
  }
  const get = (line: string, ...headers: string[]) => `${line}\r\n${['Host: a', ...headers].join('\r\n')}\r\n\r\n`;

  test('a plain request passes, and so does a second on the same connection', async () => {
    expect(await send(get('GET /a HTTP/1.1') + get('GET /b HTTP/1.1'))).toEqual(['200', '200']);
    expect(await send(`${get('POST /a HTTP/1.1', 'Content-Length: 2')}ab`)).toEqual(['200']);
  });

  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
  test.each([
    [
      'length and chunks',
      `${get('POST /a HTTP/1.1', 'Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`,
    ],
    [
      'chunks and length',
      `${get('POST /a HTTP/1.1', 'Transfer-Encoding: chunked', 'Content-Length: 4')}0\r\n\r\n${smuggled}`,
    ],
    ['two lengths', `${get('POST /a HTTP/1.1', 'Content-Length: 0', 'Content-Length: 5')}${smuggled}`],
    ['two equal lengths', `${get('POST /a HTTP/1.1', 'Content-Length: 0', 'Content-Length: 0')}${smuggled}`],
    ['a list as length', `${get('POST /a HTTP/1.1', 'Content-Length: 0, 0')}${smuggled}`],
    ['a length with a sign', `${get('POST /a HTTP/1.1', 'Content-Length: +0')}${smuggled}`],
    ['a negative length', `${get('POST /a HTTP/1.1', 'Content-Length: -1')}${smuggled}`],
    ['an unknown coding', `${get('POST /a HTTP/1.1', 'Transfer-Encoding: xchunked')}0\r\n\r\n${smuggled}`],
    [
      'a coding after chunked',
      `${get('POST /a HTTP/1.1', 'Transfer-Encoding: chunked, identity')}0\r\n\r\n${smuggled}`,
    ],
    ['space before the colon', `${get('POST /a HTTP/1.1', 'Transfer-Encoding : chunked')}0\r\n\r\n${smuggled}`],
    ['a folded header', `${get('POST /a HTTP/1.1', 'X: a\r\n b')}${smuggled}`],
    ['bare line feeds', `GET /a HTTP/1.1\nHost: a\n\n${smuggled}`],
    ['NUL in a header', `${get('GET /a HTTP/1.1', 'X: a\0b')}${smuggled}`],
    ['GET with a body', `${get('GET /a HTTP/1.1', `Content-Length: ${smuggled.length}`)}${smuggled}`],
    ['GET with chunks', `${get('GET /a HTTP/1.1', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`],
    ['two hosts', `${get('GET /a HTTP/1.1', 'Host: b')}${smuggled}`],
    ['no host', `GET /a HTTP/1.1\r\n\r\n`],
    ['two tokens', `${get('GET /a HTTP/1.1', 'Authorization: a', 'Authorization: b')}${smuggled}`],
    ['an absolute URL', `${get('GET http://a/internal HTTP/1.1')}${smuggled}`],
    ['an encoded slash', `${get('GET /a%2f..%2finternal HTTP/1.1')}${smuggled}`],
    ['a path that climbs', `${get('GET /api/v1/orders/../internal HTTP/1.1')}${smuggled}`],
    ['another version', `${get('GET /a HTTP/2.0')}${smuggled}`],
  ])('refuses %s, and what comes behind it', async (_, text) => {
    expect(await send(text)).toEqual(['400']);
    expect(reached.filter((line) => line !== 'body')).toEqual([]);
  });

  test('refuses TRACE, CONNECT and methods of its own', async () => {
    expect(await send(get('TRACE /a HTTP/1.1'))).toEqual(['405']);
    expect((await send(get('CONNECT a:80 HTTP/1.1'))).filter((status) => status.startsWith('2'))).toEqual([]);
    expect(await send(get('PROPFIND /a HTTP/1.1'))).toEqual(['405']);
    expect(reached).toEqual([]);
  });

  test('refuses headers of more than 6 KiB', async () => {
    expect(await send(get('GET /a HTTP/1.1', `X: ${'x'.repeat(7_000)}`))).toEqual(['431']);
  });
});
