import { expect, test } from '@jest/globals';
import { type Revocation, Revoked } from './revoked.ts';

/** A list at auth that can be changed, be slow, or be out of reach; and a clock that is moved by hand. */
function world() {
  const auth = { list: [] as Revocation[], asked: 0, down: false, held: undefined as Promise<void> | undefined };
  let now = 1_000_000;
  const revoked = new Revoked(
    async () => {
      auth.asked += 1;
      await auth.held;
      if (auth.down) throw new Error('no answer');
      return [...auth.list];
    },
    () => new Date(now),
  );
  return { auth, revoked, now: () => now, pass: (ms: number) => (now += ms) };
}

const token = (claims: object = {}) => ({ sub: 'ada', sid: 's-1', roles: ['cashier'], iat: 900, ...claims });

test('asks when tokens come and the list is old, and not for every token', async () => {
  const { auth, revoked, pass } = world();
  for (let n = 0; n < 20; n += 1) await revoked.prepare();
  expect(auth.asked).toBe(1);
  pass(2_000);
  await Promise.all(Array.from({ length: 20 }, () => revoked.prepare()));
  expect(auth.asked).toBe(2);
});

test('after a pause the first token waits for a fresh list', async () => {
  const { auth, revoked, pass } = world();
  await revoked.prepare();
  auth.list.push({ session: 's-1', at: 1 });
  pass(60_000);
  await revoked.prepare();
  expect(revoked.has(token())).toBe(true);
});

test('under load nobody waits, and the next ones know', async () => {
  const { auth, revoked, pass } = world();
  await revoked.prepare();
  const { promise, resolve: release } = Promise.withResolvers<void>();
  auth.held = promise;
  auth.list.push({ session: 's-1', at: 1 });
  pass(2_000);
  await revoked.prepare();
  expect(revoked.has(token())).toBe(false);
  release();
  pass(2_000);
  await revoked.prepare();
  await auth.held;
  await new Promise((resolve) => setImmediate(resolve));
  expect(revoked.has(token())).toBe(true);
});

test('while auth is out of reach what is known holds, and nothing is waited for', async () => {
  const { auth, revoked, pass } = world();
  auth.list.push({ session: 's-1', at: 1 });
  await revoked.prepare();
  auth.down = true;
  pass(60_000);
  await revoked.prepare();
  auth.held = new Promise(() => undefined);
  pass(60_000);
  await revoked.prepare();
  expect(revoked.has(token())).toBe(true);
  expect(revoked.has(token({ sid: 's-2' }))).toBe(false);
});

test('is back as soon as auth is', async () => {
  const { auth, revoked, pass } = world();
  auth.down = true;
  await revoked.prepare();
  auth.down = false;
  auth.list.push({ session: 's-1', at: 1 });
  pass(2_000);
  await revoked.prepare();
  await new Promise((resolve) => setImmediate(resolve));
  expect(revoked.has(token())).toBe(true);
});

test.each([
  ['its session is over, whenever it was given', { session: 's-1', at: 1 }, {}, true],
  ['another session is over', { session: 's-2', at: 1 }, {}, false],
  ['it was given before its subject was revoked', { subject: 'ada', at: 950_000 }, {}, true],
  ['it was given in the same second', { subject: 'ada', at: 900_400 }, {}, true],
  ['it was given after that', { subject: 'ada', at: 899_999 }, {}, false],
  ['another subject was revoked', { subject: 'bob', at: 950_000 }, {}, false],
  ['one of its roles was changed', { role: 'cashier', at: 950_000 }, {}, true],
  ['another role was changed', { role: 'manager', at: 950_000 }, {}, false],
  ['a subject has the name of a role', { subject: 'cashier', at: 950_000 }, {}, false],
  ['it does not say when it was given', { subject: 'ada', at: 1 }, { iat: undefined }, true],
  ['it has no session', { session: 's-1', at: 1 }, { sid: undefined }, false],
])('a token is judged rightly when %s', async (_, revocation, claims, over) => {
  const { auth, revoked } = world();
  auth.list.push(revocation);
  await revoked.prepare();
  expect(revoked.has(token(claims) as never)).toBe(over);
});
