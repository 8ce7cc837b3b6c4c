import { createPublicKey } from 'node:crypto';
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { silent } from '../log.ts';
import { signToken, testIssuer } from '../testing/tokens.ts';
import { api, ok } from './api.ts';
import { createApp } from './app.ts';
import { createVerifier, type Verifier } from './auth.ts';
import type { Jwks } from './keys.ts';

const issuer = testIssuer('one');
const other = testIssuer('two');
const now = () => Math.floor(Date.now() / 1_000);
const Me = z.strictObject({ id: z.string(), here: z.boolean(), there: z.boolean() });

const routes = api('/me', { tag: 'me' })
  .get('', { summary: 'Me', access: 'caller', answers: { 200: Me } }, ({ caller }) =>
    ok({ id: caller.id, here: caller.may('order:read', 's1'), there: caller.may('order:read', 's2') }),
  )
  .get('/maybe', { summary: 'Maybe me', access: 'anyone', answers: { 200: Me } }, ({ caller }) =>
    ok({ id: caller?.id ?? 'nobody', here: false, there: false }),
  );

function appOf(verifier: Verifier) {
  return createApp({ name: 'me', log: silent, routes: [routes], verifier }).callback();
}

describe('an access token', () => {
  const app = appOf(issuer.verifier);
  const ask = (authorization: string, path = '/api/v1/me') =>
    request(app).get(path).set('authorization', authorization);

  test('names the caller and what it may do where', async () => {
    const token = issuer.token({ sub: 'till', client_id: 'till', perm: ['order:read'], shops: ['s1'] });
    expect((await ask(`Bearer ${token}`)).body).toEqual({ id: 'till', here: true, there: false });
    expect((await ask(`bearer ${token}`)).status).toBe(200);
    expect((await ask(`Bearer ${issuer.token({ perm: ['order:read'], shops: ['*'] })}`)).body).toMatchObject({
      there: true,
    });
  });

  test('is not needed where anyone may ask, but a bad one is refused there too', async () => {
    expect((await request(app).get('/api/v1/me/maybe')).body.id).toBe('nobody');
    expect((await ask(`Bearer ${issuer.token()}x`, '/api/v1/me/maybe')).status).toBe(401);
  });

  const good = issuer.token();
  const [head = '', body = '', signature = ''] = good.split('.');
  const forged: Record<string, string> = {
    'no signature (alg none)': issuer.token({}, { alg: 'none' }),
    'alg none in capitals': issuer.token({}, { alg: 'None' }),
    'HS256 with the public key as secret': signToken(issuer.publicKey, {}, { alg: 'HS256', kid: 'one' }),
    'a key of someone else': other.token({}, { kid: 'one' }),
    'an unknown kid': issuer.token({}, { kid: 'three' }),
    'no kid': issuer.token({}, { kid: undefined }),
    'another audience': issuer.token({ aud: 'other' }),
    'no audience': issuer.token({ aud: undefined }),
    'another issuer': issuer.token({ iss: 'other' }),
    'no issuer': issuer.token({ iss: undefined }),
    'another type': issuer.token({}, { typ: 'JWT' }),
    'no type': issuer.token({}, { typ: undefined }),
    'no expiry': issuer.token({ exp: undefined }),
    'an endless expiry': issuer.token({ exp: '9999999999' }),
    'an expiry in the past': issuer.token({ exp: now() - 1 }),
    'a start in the future': issuer.token({ nbf: now() + 600 }),
    'a crit header': issuer.token({}, { crit: ['x'] }),
    'a b64 header': issuer.token({}, { b64: false }),
    'a jku header': issuer.token({}, { jku: 'http://127.0.0.1/jwks' }),
    'an x5u header': issuer.token({}, { x5u: 'http://127.0.0.1/cert' }),
    'a jwk header': issuer.token({}, { jwk: other.jwks.keys[0] }),
    'no subject': issuer.token({ sub: undefined }),
    'a subject that is no text': issuer.token({ sub: { a: 1 } }),
    'permissions that are no list': issuer.token({ perm: 'order:sell' }),
    'a changed body': `${head}.${Buffer.from('{"sub":"admin"}').toString('base64url')}.${signature}`,
    'a cut signature': `${head}.${body}.${signature.slice(0, -4)}`,
    'two parts': `${head}.${body}`,
    garbage: 'a.b.c',
    'a token of 5 KiB': issuer.token({ padding: 'x'.repeat(5_000) }),
  };
  test.each(Object.entries(forged))('is refused with %s', async (_, token) => {
    const answer = await ask(`Bearer ${token}`);
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="retail-erp", error="invalid_token"');
  });

  test.each([
    'Basic abc',
    'Bearer',
    `Bearer  ${good}`,
    `Bearer ${good} x`,
    `${good}`,
    `Bearer ${good},Bearer ${good}`,
  ])('is refused in the header %#', async (header) => {
    expect((await ask(header)).status).toBe(401);
  });

  test('is remembered, but not beyond its expiry', async () => {
    let time = Date.now();
    const verifier = createVerifier({ loadKeys: async () => issuer.jwks, clock: () => new Date(time) });
    const token = `Bearer ${issuer.token({ exp: now() + 60 })}`;
    const ask = () => request(appOf(verifier)).get('/api/v1/me').set('authorization', token);
    expect((await ask()).status).toBe(200);
    time += 61_000;
    const late = await ask();
    expect([late.status, late.body.detail]).toEqual([401, 'The access token has expired']);
  });
});

describe('the keys', () => {
  let time: number;
  let jwks: Jwks;
  const loadKeys = jest.fn(async () => jwks);
  let app: ReturnType<typeof appOf>;
  const ask = async (token: string) =>
    (await request(app).get('/api/v1/me').set('authorization', `Bearer ${token}`)).status;
  beforeEach(() => {
    time = Date.now();
    jwks = issuer.jwks;
    loadKeys.mockClear();
    app = appOf(createVerifier({ loadKeys, clock: () => new Date(time) }));
  });

  test('are asked for once, and again for an unknown kid, at most every 5 s', async () => {
    expect(await Promise.all([ask(issuer.token()), ask(issuer.token({ sub: 'b' }))])).toEqual([200, 200]);
    expect(loadKeys).toHaveBeenCalledTimes(1);
    jwks = { keys: [...issuer.jwks.keys, ...other.jwks.keys] };
    expect(await ask(other.token())).toBe(401);
    expect(loadKeys).toHaveBeenCalledTimes(1);
    time += 5_000;
    expect(await ask(other.token())).toBe(200);
    expect(loadKeys).toHaveBeenCalledTimes(2);
  });

  test('that never came make 503, never 401', async () => {
    loadKeys.mockRejectedValueOnce(new Error('auth is down'));
    const answer = await request(app).get('/api/v1/me').set('authorization', `Bearer ${issuer.token()}`);
    expect([answer.status, answer.headers['retry-after'], answer.body.code]).toEqual([503, '1', 'UNAVAILABLE']);
    expect(await ask(issuer.token())).toBe(200);
  });

  test('that came once stay through an outage', async () => {
    expect(await ask(issuer.token())).toBe(200);
    loadKeys.mockRejectedValue(new Error('auth is down'));
    time += 3_600_000;
    expect(await ask(issuer.token({ sub: 'new', exp: now() + 7_200 }))).toBe(200);
    expect(await ask(other.token())).toBe(401);
    loadKeys.mockImplementation(async () => jwks);
  });

  test('that are gone take remembered tokens with them', async () => {
    jwks = { keys: [...issuer.jwks.keys, ...other.jwks.keys] };
    const token = issuer.token();
    expect(await ask(token)).toBe(200);
    jwks = other.jwks;
    time += 5_000;
    expect(await ask(issuer.token({}, { kid: 'unknown' }))).toBe(401);
    expect(await ask(token)).toBe(401);
    expect(await ask(other.token())).toBe(200);
  });

  test('of another kind are left out', async () => {
    const ec = createPublicKey(
      '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n',
    );
    jwks = { keys: [{ ...ec.export({ format: 'jwk' }), kid: 'ed' }] };
    expect(await ask(issuer.token())).toBe(503);
  });
});
