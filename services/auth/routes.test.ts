import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import request from 'supertest';
import { type FakeSidecar, startFakeSidecar } from '#kit/testing/fake-sidecar';
import { ensureDemo } from './demo.ts';
import { KEYS } from './keyring.ts';
import { type AuthReplica, authReplica, STORE } from './testing/auth-bench.ts';

// argon2 takes its time, more so beside other tests.
jest.setTimeout(30_000);

const shops = ['s1', 's2'];
const secrets = { 'auth-key-encryption': 'kek', 'demo-password': 'pass word', 'till-s1': 'one', 'till-s2': 'two' };
let later = 0;
const clock = () => new Date(Date.now() + later);

describe('auth', () => {
  let fake: FakeSidecar;
  let app: AuthReplica;

  const replica = () => authReplica(fake, clock);

  beforeAll(async () => {
    fake = await startFakeSidecar(secrets);
    app = replica();
    await ensureDemo(app.accounts, fake.client, shops);
  });
  afterAll(() => fake.close());

  const post = (path: string, body?: object) => request(app.listener).post(`/api/v1/auth${path}`).send(body);
  const login = (email = 'customer@demo.test', password = 'pass word') => post('/login', { email, password });

  test('signs in and gives a token for every service', async () => {
    const answer = await login();
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body).toEqual({
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      expiresIn: 600,
      tokenType: 'Bearer',
    });
    const { keys } = (await request(app.listener).get('/.well-known/jwks.json')).body;
    expect(decodeProtectedHeader(answer.body.accessToken)).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: keys[0].kid });
    const claims = decodeJwt(answer.body.accessToken);
    expect(claims).toMatchObject({
      iss: 'retail-erp',
      aud: 'retail-erp-api',
      roles: ['customer'],
      grants: [{ perm: ['order:place'], in: ['self'] }],
    });
    expect(claims.sub).toMatch(/^[0-9a-f-]{36}$/);
    expect(Number(claims.exp) - Number(claims.iat)).toBe(600);
  });

  test('gives each demo identity the role and shops of the table', async () => {
    const claimsOf = async (email: string) => decodeJwt((await login(email)).body.accessToken);
    expect(await claimsOf('admin@demo.test')).toMatchObject({
      roles: ['admin'],
      grants: [{ perm: expect.arrayContaining(['audit:read', 'shop:write']), in: ['*'] }],
    });
    expect(await claimsOf('manager@demo.test')).toMatchObject({ roles: ['manager'], grants: [{ in: ['shop:s1'] }] });
    expect(await claimsOf('cashier@demo.test')).toMatchObject({
      grants: [
        { perm: ['inventory:read', 'order:price', 'order:read', 'order:sell', 'payment:read'], in: ['shop:s1'] },
      ],
    });
  });

  test('knows an address however it is typed', async () => {
    expect((await login('  Customer@DEMO.test ')).status).toBe(200);
  });

  test('says the same to a wrong password and an unknown address, in the same time', async () => {
    const timed = async (email: string) => {
      const started = performance.now();
      const answer = await login(email, 'wrong');
      return { ms: performance.now() - started, answer };
    };
    const [known, unknown] = [await timed('admin@demo.test'), await timed('nobody@demo.test')];
    expect(known.answer.status).toBe(401);
    const text = ({ traceId: _, ...rest }: Record<string, unknown>) => rest;
    expect(text(unknown.answer.body)).toEqual(text(known.answer.body));
    const ratios = await Promise.all(
      [1, 2, 3].map(async () => (await timed('x@demo.test')).ms / (await timed('admin@demo.test')).ms),
    );
    expect(Math.max(...ratios)).toBeGreaterThan(0.3);
    expect(unknown.ms).toBeGreaterThan(5);
  });

  test.each([
    [{ email: 'a@b' }],
    [{ email: 'a@b', password: '' }],
    [{ email: 'a@b', password: 1 }],
    [{ email: 'a@b', password: 'x', admin: true }],
    [{ email: ['a@b'], password: 'x' }],
    [{ email: 'a'.repeat(255), password: 'x' }],
    [{ email: 'a@b', password: 'x'.repeat(1_025) }],
  ])('refuses the login %j', async (body) => {
    expect((await post('/login', body)).body).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
  });

  test('rotates refresh tokens; an old one ends the family', async () => {
    const first = (await login()).body.refreshToken;
    const second = (await post('/refresh', { refreshToken: first })).body.refreshToken;
    const third = (await post('/refresh', { refreshToken: second })).body.refreshToken;
    expect(new Set([first, second, third]).size).toBe(3);
    const reuse = await post('/refresh', { refreshToken: first });
    expect([reuse.status, reuse.body.code]).toEqual([401, 'REFRESH_TOKEN_INVALID']);
    expect((await post('/refresh', { refreshToken: third })).status).toBe(401);
  });

  test('of ten parallel refreshes two may win, and the session ends since others hold the token', async () => {
    const { refreshToken } = (await login()).body;
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('/refresh', { refreshToken })));
    const winners = answers.filter(({ status }) => status === 200);
    expect([1, 2]).toContain(winners.length);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10 - winners.length);
    for (const { body } of winners) {
      expect((await post('/refresh', { refreshToken: body.refreshToken })).status).toBe(401);
    }
  });

  test('takes a token once more when its answer was lost, and not a third time', async () => {
    const { refreshToken } = (await login()).body;
    const refresh = (token: string) => post('/refresh', { refreshToken: token });
    expect((await refresh(refreshToken)).status).toBe(200);
    const { status, body } = await refresh(refreshToken);
    expect(status).toBe(200);
    const again = await refresh(body.refreshToken);
    expect(again.status).toBe(200);
    expect((await refresh(refreshToken)).status).toBe(401);
    expect((await refresh(again.body.refreshToken)).status).toBe(401);
  });

  test('does not take a former token after three seconds, and ends the session', async () => {
    const { refreshToken } = (await login()).body;
    const { body } = await post('/refresh', { refreshToken });
    later = 3_001;
    try {
      expect((await post('/refresh', { refreshToken })).status).toBe(401);
      expect((await post('/refresh', { refreshToken: body.refreshToken })).status).toBe(401);
    } finally {
      later = 0;
    }
  });

  test('does not let one session end another', async () => {
    const [one, two] = [(await login()).body, (await login()).body];
    await post('/logout', { refreshToken: one.refreshToken });
    expect((await post('/refresh', { refreshToken: one.refreshToken })).status).toBe(401);
    expect((await post('/refresh', { refreshToken: two.refreshToken })).status).toBe(200);
  });

  test('does not end a session for who knows only its name', async () => {
    const { refreshToken } = (await login()).body;
    const forged = `${refreshToken.split('.')[0]}.${'A'.repeat(43)}`;
    expect((await post('/logout', { refreshToken: forged })).status).toBe(204);
    expect((await post('/refresh', { refreshToken })).status).toBe(200);
  });

  test('logs out by access token as well, and needs one of the two', async () => {
    const { accessToken, refreshToken } = (await login()).body;
    expect((await post('/logout')).status).toBe(401);
    expect((await post('/logout', { refreshToken: 'unknown' })).status).toBe(204);
    expect((await post('/logout').set('authorization', `Bearer ${accessToken}`)).status).toBe(204);
    expect((await post('/refresh', { refreshToken })).status).toBe(401);
  });

  test('refuses an access token, a made-up token and an empty one as refresh token', async () => {
    const { accessToken, refreshToken } = (await login()).body;
    for (const token of [accessToken.slice(0, 500), 'x', `${refreshToken}x`, '../keys']) {
      expect((await post('/refresh', { refreshToken: token })).status).toBe(401);
    }
    expect((await post('/refresh', { refreshToken: '' })).status).toBe(400);
  });

  test('names an account to services, and 404 for none', async () => {
    const { sub } = decodeJwt((await login()).body.accessToken);
    const { body } = await request(app.listener).get(`/internal/accounts/${sub}`);
    expect(body).toEqual({ id: sub, email: 'customer@demo.test', name: 'Cleo Customer' });
    expect((await request(app.listener).get('/internal/accounts/none')).status).toBe(404);
  });

  describe('the token endpoint', () => {
    const ask = (form: Record<string, string> | string) =>
      request(app.listener).post('/api/v1/auth/token').type('form').send(form);
    const good = { grant_type: 'client_credentials', client_id: 'till-s1', client_secret: 'one' };

    test('gives a till a token for its shop', async () => {
      const { status, body, headers } = await ask(good);
      expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
      expect(body).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 600 });
      expect(decodeJwt(body.access_token)).toMatchObject({
        sub: 'till-s1',
        client_id: 'till-s1',
        roles: ['cashier'],
        grants: [{ in: ['shop:s1'] }],
      });
    });

    test('takes the client from the header, too', async () => {
      const answer = await ask({ grant_type: 'client_credentials' }).auth('till-s2', 'two');
      expect(decodeJwt(answer.body.access_token)).toMatchObject({ grants: [{ in: ['shop:s2'] }] });
      expect((await ask({ grant_type: 'client_credentials' }).auth('till-s2', 'one')).status).toBe(401);
    });

    test.each([
      [{ ...good, client_secret: 'two' }, 401, 'invalid_client'],
      [{ ...good, client_id: 'till-s9' }, 401, 'invalid_client'],
      [{ ...good, client_id: '' }, 401, 'invalid_client'],
      [{ grant_type: 'client_credentials' }, 401, 'invalid_client'],
      [{ ...good, grant_type: 'password' }, 400, 'unsupported_grant_type'],
      [{ client_id: 'till-s1', client_secret: 'one' }, 400, 'invalid_request'],
      [{ ...good, scope: 'everything' }, 400, 'invalid_scope'],
      ['grant_type=client_credentials&client_id=a&client_id=b&client_secret=c', 400, 'invalid_request'],
    ])('answers %j with %i %s', async (form, status, error) => {
      const answer = await ask(form);
      expect([answer.status, answer.body.error]).toEqual([status, error]);
      expect(Object.keys(answer.body)).toEqual(['error', 'error_description']);
      if (status === 401) expect(answer.headers['www-authenticate']).toBe('Basic realm="retail-erp"');
    });

    test('refuses two ways of authentication and JSON', async () => {
      expect((await ask(good).auth('till-s1', 'one')).body.error).toBe('invalid_request');
      expect((await post('/token', good)).body.error).toBe('invalid_request');
    });
  });

  describe('the demo identities', () => {
    test('change nothing when made again, and take a changed secret over', async () => {
      const before = fake.keys(STORE).map((key) => [key, fake.peek(STORE, key)]);
      await ensureDemo(app.accounts, fake.client, shops);
      expect(fake.keys(STORE).map((key) => [key, fake.peek(STORE, key)])).toEqual(before);
      fake.secrets.set('demo-password', 'other').set('till-s1', 'new');
      await ensureDemo(app.accounts, fake.client, shops);
      expect((await login()).status).toBe(401);
      expect((await login('customer@demo.test', 'other')).status).toBe(200);
      const till = { grant_type: 'client_credentials', client_id: 'till-s1', client_secret: 'new' };
      expect((await request(app.listener).post('/api/v1/auth/token').type('form').send(till)).status).toBe(200);
      for (const [name, value] of Object.entries(secrets)) fake.secrets.set(name, value);
      await ensureDemo(app.accounts, fake.client, shops);
    });

    test('are stored without any secret in clear', () => {
      const stored = JSON.stringify(fake.keys(STORE).map((key) => fake.peek(STORE, key)));
      expect(stored).not.toMatch(/pass word|"one"|"two"|PRIVATE|"d":/);
      expect(stored).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    });
  });

  test('two replicas sign with one key', async () => {
    fake.put(STORE, KEYS, undefined);
    await fake.client.delete(STORE, KEYS);
    const [one, two] = [replica(), replica()];
    const [a, b] = await Promise.all([one.keys.signer(), two.keys.signer()]);
    expect(a.kid).toBe(b.kid);
    expect((await one.keys.jwks()).keys).toEqual((await two.keys.jwks()).keys);
  });
});
