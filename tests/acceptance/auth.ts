// Signing in: access tokens, refresh families, clients, and who may not.
import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import type { Session } from '../client/identity.ts';
import { bearer } from '../client/identity.ts';
import { expectProblem, expectStatus } from './expectations.ts';
import { unique } from './goods.ts';
import { SHOP, type World } from './world.ts';

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function authSuite(world: World): void {
  const login = (email: string, password: string) =>
    world.anybody.send<Session>('POST', '/api/v1/auth/login', { body: { email, password } });
  const refresh = (refreshToken: string) =>
    world.anybody.send<Session>('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
  const password = () => world.secrets['demo-password'] ?? '';
  const protectedRead = (token: string) =>
    world.anybody.as(bearer(token)).send('GET', '/api/v1/reports/sales?from=2017-01-01&to=2017-01-02&groupBy=day');

  it('logs in with a signed access token for this API', async () => {
    const { body } = expectStatus(await login('manager@demo.test', password()), 200);
    expect(body).toMatchObject({
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      expiresIn: expect.any(Number),
      tokenType: 'Bearer',
    });
    expect(decodeProtectedHeader(body.accessToken)).toMatchObject({
      alg: 'RS256',
      typ: 'at+jwt',
      kid: expect.any(String),
    });
    const keys = createRemoteJWKSet(new URL(`${world.anybody.baseUrl}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(body.accessToken, keys, {
      issuer: 'retail-erp',
      audience: 'retail-erp-api',
      typ: 'at+jwt',
    });
    expect(payload).toMatchObject({ sub: expect.any(String), grants: [{ in: [`shop:${SHOP}`] }] });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(600);
  });

  it('does not tell whether an account exists', async () => {
    const wrong = expectProblem(await login('manager@demo.test', 'wrong'), 401);
    const unknown = expectProblem(await login(`${unique('nobody')}@demo.test`, 'wrong'), 401);
    const shown = ({ code, title, detail, type }: typeof wrong) => ({ code, title, detail, type });
    expect(shown(unknown)).toEqual(shown(wrong));
  });

  it('rotates refresh tokens, and ends the family when an old one comes again', async () => {
    const first = expectStatus(await login('customer@demo.test', password()), 200).body;
    const second = expectStatus(await refresh(first.refreshToken), 200).body;
    expect(second.refreshToken).not.toBe(first.refreshToken);
    const third = expectStatus(await refresh(second.refreshToken), 200).body;
    expectProblem(await refresh(first.refreshToken), 401);
    expectProblem(await refresh(third.refreshToken), 401);
  });

  it('ends a session by logout', async () => {
    const { refreshToken, accessToken } = expectStatus(await login('customer@demo.test', password()), 200).body;
    const answer = await world.anybody
      .as(bearer(accessToken))
      .send('POST', '/api/v1/auth/logout', { body: { refreshToken } });
    expect([200, 204]).toContain(answer.status);
    expectProblem(await refresh(refreshToken), 401);
  });

  it('refuses a refresh token that was never given', async () => {
    expectProblem(await refresh('never-given'), 401);
  });

  it('answers client credentials as RFC 6749 says', async () => {
    const ask = (clientId: string, secret: string) =>
      world.anybody.send<Record<string, unknown>>('POST', '/api/v1/auth/token', {
        raw: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: clientId,
          client_secret: secret,
        }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    const { body, headers } = expectStatus(await ask(`till-${SHOP}`, world.secrets[`till-${SHOP}`] ?? ''), 200);
    expect(body).toMatchObject({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: expect.any(Number),
    });
    expect(headers['cache-control']).toContain('no-store');
    expect(decodeJwt(String(body.access_token))).toMatchObject({
      client_id: `till-${SHOP}`,
      grants: [{ in: [`shop:${SHOP}`] }],
    });
    expect((await ask(`till-${SHOP}`, 'wrong')).status).toBe(401);
    expect((await ask(unique('till'), 'wrong')).status).toBe(401);
  });

  it('publishes keys without their private part', async () => {
    const { body } = expectStatus(
      await world.anybody.send<{ keys: Record<string, unknown>[] }>('GET', '/.well-known/jwks.json'),
      200,
    );
    expect(body.keys.length).toBeGreaterThan(0);
    for (const key of body.keys) {
      expect(key).toMatchObject({ kty: 'RSA', kid: expect.any(String), n: expect.any(String), e: expect.any(String) });
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key).not.toHaveProperty(secret);
    }
  });

  it('refuses forged tokens', async () => {
    const { accessToken } = expectStatus(await login('admin@demo.test', password()), 200).body;
    const claims = decodeJwt(accessToken);
    const header = decodeProtectedHeader(accessToken);
    const [head = '', body = '', signature = ''] = accessToken.split('.');
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const signed = (changes: Record<string, unknown>, headers: Record<string, unknown> = {}) =>
      new SignJWT({ ...claims, ...changes })
        .setProtectedHeader({ ...header, alg: 'RS256', ...headers })
        .sign(privateKey);
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    expect((await protectedRead(accessToken)).status).toBe(200);
    const forged: Record<string, string> = {
      'alg none': `${b64({ ...header, alg: 'none' })}.${body}.`,
      'claims changed': `${head}.${b64({ ...claims, roles: ['admin'], shops: ['*'], sub: 'x' })}.${signature}`,
      'signature changed': `${head}.${body}.${signature.slice(0, -8)}AAAAAAAA`,
      'no signature': `${head}.${body}.`,
      'own key, real kid': await signed({}),
      'own key, own kid': await signed({}, { kid: 'mine' }),
      'own key in the header': await signed({}, { kid: 'mine', jwk: publicKey.export({ format: 'jwk' }) }),
      'key by address': await signed({}, { kid: 'mine', jku: 'http://127.0.0.1:1/jwks.json' }),
      expired: await signed({ exp: 1 }),
      'no exp': await signed({ exp: undefined }),
      'other audience': await signed({ aud: 'somebody-else' }),
      'HS256 with a public key': await new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: 'HS256' })
        .sign(Buffer.from(pem)),
      garbage: 'garbage',
      empty: '',
    };
    for (const [name, token] of Object.entries(forged)) {
      const answer = await protectedRead(token);
      if (answer.status !== 401) throw new Error(`${name}: ${answer.status}`);
      expectProblem(answer, 401);
    }
  });

  it('refuses a refresh token as access token, and basic credentials', async () => {
    const { refreshToken } = expectStatus(await login('customer@demo.test', password()), 200).body;
    expectProblem(await protectedRead(refreshToken), 401);
    const basic = await world.anybody.send('GET', '/api/v1/reports/sales?from=2017-01-01&to=2017-01-02&groupBy=day', {
      headers: { authorization: 'Basic YTpi' },
    });
    expectProblem(basic, 401);
  });

  it('limits logins to one account and says when to come again', async () => {
    const email = `${unique('flood')}@demo.test`;
    const answers = await Promise.all(Array.from({ length: 14 }, () => login(email, 'wrong')));
    const limited = answers.filter(({ status }) => status === 429);
    expect(answers.every(({ status }) => status === 401 || status === 429)).toBe(true);
    expect(limited.length).toBeGreaterThanOrEqual(2);
    for (const answer of limited) {
      expectProblem(answer, 429);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
  });
}
