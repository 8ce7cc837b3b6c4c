// Registering, proving an address and replacing passwords, as a client sees it; notification is played by the test.
import { afterAll, beforeEach, expect, jest, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import request from 'supertest';
import { type FakeSidecar, startFakeSidecar } from '#kit/testing/fake-sidecar';
import { type AuthReplica, authReplica, STORE } from './testing/auth-bench.ts';

jest.setTimeout(30_000);

const GOOD = 'correct horse 42';

interface Mail {
  readonly template: string;
  readonly email: string;
  readonly token?: string;
}

const opened: FakeSidecar[] = [];
let fake: FakeSidecar;
let mails: Mail[];
let mailUp: boolean;
let now: number;
/** Calls of notification, and what it says became of a mail. */
let asked: number;
let outcome: string;
let listener: AuthReplica['listener'];

beforeEach(async () => {
  fake = await startFakeSidecar({ 'auth-key-encryption': 'kek' });
  opened.push(fake);
  const inbox: Mail[] = []; // its own: mails of the test before may still be on their way
  [mails, mailUp, now] = [inbox, true, Date.now()];
  [asked, outcome] = [0, 'sent'];
  const clock = () => new Date(now);
  fake.apps.set('notification', (incoming, answer) => {
    let text = '';
    incoming.on('data', (chunk) => (text += chunk));
    incoming.on('end', () => {
      asked += 1;
      if (mailUp) inbox.push(JSON.parse(text));
      answer.writeHead(mailUp ? 200 : 503, { 'content-type': 'application/json' });
      answer.end(mailUp ? JSON.stringify({ outcome }) : '');
    });
  });
  listener = authReplica(fake, clock).listener;
});
afterAll(() => Promise.all(opened.map((each) => each.close())));

const post = (path: string, body: object) => request(listener).post(`/api/v1/auth${path}`).send(body);
const register = (email = 'ann@shop.test', password = GOOD) => post('/register', { email, password, name: 'Ann' });
const login = (password = GOOD, email = 'ann@shop.test') => post('/login', { email, password });

async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function mail(count = 1): Promise<Mail & { token: string }> {
  await until(() => mails.length >= count);
  return mails[count - 1] as Mail & { token: string };
}

async function registered(): Promise<void> {
  await register();
  const { token } = await mail();
  expect((await post('/verify', { token })).status).toBe(204);
}

test('an account exists when its address is proven, as a customer, and the token is good once', async () => {
  expect((await register()).status).toBe(202);
  expect((await login()).status).toBe(401);
  const { token, template, email } = await mail();
  expect([template, email]).toEqual(['verify', 'ann@shop.test']);
  expect((await post('/verify', { token })).status).toBe(204);
  const { status, body } = await login();
  expect(status).toBe(200);
  expect(decodeJwt(body.accessToken)).toMatchObject({ roles: ['customer'] });
  expect((await post('/verify', { token })).body.code).toBe('MAIL_TOKEN_INVALID');
});

test('a known address gets the same answer, and a mail that says so', async () => {
  const first = await register();
  await post('/verify', { token: (await mail()).token });
  const second = await register('Ann@Shop.test', 'another password 9');
  expect([second.status, second.body]).toEqual([first.status, first.body]);
  expect(await mail(2)).toEqual({ template: 'known', email: 'Ann@Shop.test' });
  expect((await login()).status).toBe(200);
  expect((await login('another password 9')).status).toBe(401);
});

test('of two registrations of one address the one that is proven first counts', async () => {
  await register('ann@shop.test', 'the first password');
  await register('ann@shop.test', 'the second password');
  await mail(2);
  expect((await post('/verify', { token: mails[1]?.token })).status).toBe(204);
  expect((await post('/verify', { token: mails[0]?.token })).status).toBe(400);
  expect((await login('the first password')).status).toBe(401);
  expect((await login('the second password')).status).toBe(200);
});

test('an address is written to three times in ten minutes, whoever asks', async () => {
  for (let times = 0; times < 5; times++) expect((await register()).status).toBe(202);
  now += 11 * 60_000;
  await register();
  await mail(4);
  expect(mails).toHaveLength(4);
});

test('a token is over after 24 hours', async () => {
  await register();
  const { token } = await mail();
  now += 24 * 3600_000 + 1;
  expect((await post('/verify', { token })).status).toBe(400);
});

test('a mail that the mail server refuses for ever is not owed any longer', async () => {
  outcome = 'ADDRESS_REFUSED';
  await register();
  await mail();
  const owed = () => fake.keys(STORE).filter((key) => key.startsWith('owed:') && String(fake.peek(STORE, key)) !== '');
  await until(() => owed().length === 0);
});

test('a mail that does not go out is sent later, with the same token', async () => {
  mailUp = false;
  await register();
  await until(() => asked > 0);
  expect(mails).toEqual([]);
  mailUp = true;
  const { token } = await mail();
  expect((await post('/verify', { token })).status).toBe(204);
});

test.each([
  ['short', '1234567', 'VALIDATION_FAILED'],
  ['long', 'x'.repeat(129), 'VALIDATION_FAILED'],
  ['common', 'Password1', 'PASSWORD_TOO_COMMON'],
  ['the address', 'ann@shop.test', 'PASSWORD_TOO_COMMON'],
])('refuses a password that is %s', async (_, password, code) => {
  expect((await register('ann@shop.test', password)).body).toMatchObject({ status: 400, code });
});

test('takes 8 and 128 characters of any kind', async () => {
  expect((await register('a@shop.test', 'ÿþ🙂 abcd')).status).toBe(202);
  expect((await register('b@shop.test', '🙂'.repeat(128))).status).toBe(202);
});

test('a forgotten password is replaced by the token of a mail, and all sessions end', async () => {
  await registered();
  const { refreshToken, accessToken } = (await login()).body;
  now += 2_000;
  expect((await post('/password/forgot', { email: 'ann@shop.test' })).status).toBe(202);
  const { token } = await mail(2);
  const reset = (password: string) => post('/password/reset', { token, password });
  expect((await reset('12345678')).body.code).toBe('PASSWORD_TOO_COMMON');
  expect((await reset('a new password 7')).status).toBe(204);
  expect((await reset('a newer password 8')).body.code).toBe('MAIL_TOKEN_INVALID');
  expect((await post('/refresh', { refreshToken })).status).toBe(401);
  now += 5_000;
  const change = { password: 'a new password 7', newPassword: 'a third password 9' };
  const withOld = request(listener).put('/api/v1/auth/password').set('authorization', `Bearer ${accessToken}`);
  expect((await withOld.send(change)).status).toBe(401);
  expect([(await login()).status, (await login('a new password 7')).status]).toEqual([401, 200]);
  expect((await mail(3)).template).toBe('replaced');
});

test('an unknown address gets the same answer to a forgotten password, and no mail', async () => {
  await registered();
  const known = await post('/password/forgot', { email: 'ann@shop.test' });
  const unknown = await post('/password/forgot', { email: 'bob@shop.test' });
  expect([unknown.status, unknown.body]).toEqual([known.status, known.body]);
  await post('/register', { email: 'c@shop.test', password: GOOD, name: 'C' });
  await mail(3);
  expect(mails.map(({ email }) => email)).not.toContain('bob@shop.test');
});

test('a caller replaces the own password: the other sessions end, this one goes on', async () => {
  await registered();
  const [other, own] = [(await login()).body, (await login()).body];
  now += 2_000;
  const put = (body: object) =>
    request(listener).put('/api/v1/auth/password').set('authorization', `Bearer ${own.accessToken}`).send(body);
  expect((await put({ password: 'wrong', newPassword: 'a new password 7' })).body.code).toBe('CREDENTIALS_INVALID');
  expect((await put({ password: GOOD, newPassword: 'a new password 7' })).status).toBe(204);
  expect((await post('/refresh', { refreshToken: other.refreshToken })).status).toBe(401);
  expect((await post('/refresh', { refreshToken: own.refreshToken })).status).toBe(200);
  expect((await login('a new password 7')).status).toBe(200);
});

test('a token of one kind is not good for another, nor one that was changed', async () => {
  await registered();
  await post('/password/forgot', { email: 'ann@shop.test' });
  const { token } = await mail(2);
  expect((await post('/verify', { token })).status).toBe(400);
  const [id = '', proof = ''] = token.split('.');
  for (const forged of [
    `${id}.${'A'.repeat(43)}`,
    `${crypto.randomUUID()}.${proof}`,
    'x',
    `${token}A`,
    `../${token}`,
  ]) {
    expect((await post('/password/reset', { token: forged, password: GOOD })).body.code).toBe('MAIL_TOKEN_INVALID');
  }
});

test('no token and no password stands in the store', async () => {
  await register();
  const { token } = await mail();
  const stored = JSON.stringify(fake.keys(STORE).map((key) => fake.peek(STORE, key)));
  expect(stored).not.toContain(token.split('.')[1]);
  expect(stored).not.toContain(GOOD);
});

test('a hash of other parameters is made anew at the next login', async () => {
  await registered();
  const key = fake.keys(STORE).find((name) => name.startsWith('account:')) ?? '';
  const { argon2Sync, randomBytes } = await import('node:crypto');
  const nonce = randomBytes(16);
  const old = { message: GOOD, nonce, parallelism: 1, tagLength: 32, memory: 8_192, passes: 1 };
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  const password = `$argon2id$v=19$m=8192,t=1,p=1$${text(nonce)}$${text(argon2Sync('argon2id', old))}`;
  fake.put(STORE, key, { ...(fake.peek(STORE, key) as object), password });
  expect((await login()).status).toBe(200);
  expect(fake.peek(STORE, key)).toMatchObject({ password: expect.stringContaining('m=19456,t=2') });
  expect((await login()).status).toBe(200);
});

test('an owner sees the own sessions and ends one; nobody else can', async () => {
  await registered();
  const phone = await login().set('user-agent', 'Phone 1');
  const desk = (await login().set('user-agent', 'Desk 2')).body;
  const as = (method: 'get' | 'delete', path: string, token: string) =>
    request(listener)[method](`/api/v1/auth/sessions${path}`).set('authorization', `Bearer ${token}`);
  const { items } = (await as('get', '', desk.accessToken)).body;
  expect(items).toMatchObject([
    { device: 'Desk 2', current: true },
    { device: 'Phone 1', current: false },
  ]);
  await register('eve@shop.test');
  await post('/verify', { token: (await mail(2)).token });
  const eve = (await login(GOOD, 'eve@shop.test')).body;
  expect((await as('delete', `/${items[1].id}`, eve.accessToken)).status).toBe(404);
  expect((await as('get', '', eve.accessToken)).body.items).toHaveLength(1);
  expect((await as('delete', `/${items[1].id}`, desk.accessToken)).status).toBe(204);
  expect((await post('/refresh', { refreshToken: phone.body.refreshToken })).status).toBe(401);
  expect((await as('get', '', desk.accessToken)).body.items).toHaveLength(1);
  expect((await as('delete', `/${items[1].id}`, desk.accessToken)).status).toBe(404);
});

test('many logins of one account at once all succeed', async () => {
  await registered();
  const answers = await Promise.all(Array.from({ length: 12 }, () => login()));
  expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
});
