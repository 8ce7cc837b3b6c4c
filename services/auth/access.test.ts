// Roles and grants through the API: who may give what, what a token then says, and what is over at once.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import supertest from 'supertest';
import type { EventSourced } from '#kit/events/event-sourced';
import type { Grant as ClaimedGrant } from '#kit/http/caller';
import { type FakeSidecar, startFakeSidecar } from '#kit/testing/fake-sidecar';
import { claimed, type Grant, type Scope } from './access.ts';
import { ensureDemo } from './demo.ts';
import { authReplica } from './testing/auth-bench.ts';

jest.setTimeout(30_000);

const clock = () => new Date(Date.now() + ahead);
/** Milliseconds that the service's clock is ahead: a token of the second in which rights changed is over, too. */
let ahead = 0;

let fake: FakeSidecar;
let service: EventSourced;
let http: ReturnType<typeof supertest.agent>;

const shop = (id: string): Scope => ({ kind: 'shop', id });
const organisation: Scope = { kind: 'organisation' };

async function login(who: string): Promise<string> {
  ahead += 1_000;
  const { body } = await http.post('/api/v1/auth/login').send({ email: `${who}@demo.test`, password: 'pass word' });
  return body.accessToken;
}
const idOf = (token: string) => String(decodeJwt(token).sub);
const grantsIn = (token: string) => decodeJwt<{ grants: ClaimedGrant[] }>(token).grants;
const as = (token: string) => ({ authorization: `Bearer ${token}` });
const readGrants = (token: string, id: string) => http.get(`/api/v1/principals/${id}/grants`).set(as(token));

async function give(token: string, id: string, grants: readonly Grant[], held?: string) {
  const etag = held ?? (await readGrants(await login('admin'), id)).headers.etag ?? '"0"';
  return http
    .put(`/api/v1/principals/${id}/grants`)
    .set({ ...as(token), 'if-match': etag })
    .send({ grants });
}
const define = (token: string, name: string, permissions: readonly string[]) =>
  http.post('/api/v1/roles').set(as(token)).send({ name, description: '', permissions });

beforeAll(async () => {
  fake = await startFakeSidecar({
    'auth-key-encryption': 'kek',
    'demo-password': 'pass word',
    'till-s1': 'one',
    'till-s2': 'two',
  });
  const replica = authReplica(fake, clock);
  service = replica.service;
  await ensureDemo(replica.accounts, fake.client, ['s1', 's2']);
  await service.begin();
  http = supertest.agent(replica.listener);
});
afterAll(async () => {
  await service.stop();
  await fake.close();
});

describe('grants', () => {
  test('a person holds one role here and another there, and a token says which right holds where', async () => {
    const admin = await login('admin');
    const manager = idOf(await login('manager'));
    const given = await give(admin, manager, [
      { role: 'manager', scope: shop('s2') },
      { role: 'cashier', scope: shop('s1') },
    ]);
    expect(given.status).toBe(200);
    const grants = grantsIn(await login('manager'));
    const scopesOf = (permission: string) =>
      grants.filter(({ perm }) => perm.includes(permission)).flatMap((g) => g.in);
    expect(scopesOf('order:sell').sort()).toEqual(['shop:s1', 'shop:s2']);
    expect(scopesOf('inventory:write')).toEqual(['shop:s2']);
  });

  test('a change ends the tokens that were given before, and no others', async () => {
    const [cashier, customer] = [await login('cashier'), await login('customer')];
    expect((await readGrants(cashier, idOf(cashier))).status).toBe(200);
    const admin = await login('admin');
    expect((await give(admin, idOf(cashier), [{ role: 'cashier', scope: shop('s2') }])).status).toBe(200);
    ahead += 10_000;
    expect((await readGrants(cashier, idOf(cashier))).status).toBe(401);
    expect((await readGrants(customer, idOf(customer))).status).toBe(200);
    const again = await login('cashier');
    expect((await readGrants(again, idOf(again))).body.grants).toEqual([{ role: 'cashier', scope: shop('s2') }]);
  });

  test('are changed by version: of two who read the same, the second is told', async () => {
    const admin = await login('admin');
    const id = idOf(await login('customer'));
    const { headers } = await readGrants(admin, id);
    const wish: Grant[] = [
      { role: 'customer', scope: { kind: 'self' } },
      { role: 'cashier', scope: shop('s1') },
    ];
    expect((await give(admin, id, wish, headers.etag)).status).toBe(200);
    expect((await give(admin, id, [], headers.etag)).body).toMatchObject({ status: 412, code: 'PRECONDITION_FAILED' });
    const without = await http.put(`/api/v1/principals/${id}/grants`).set(as(admin)).send({ grants: [] });
    expect(without.body).toMatchObject({ status: 428 });
  });

  test('nobody changes the own ones, so that the last admin stays one', async () => {
    const admin = await login('admin');
    expect((await give(admin, idOf(admin), [])).body).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test('nobody gives or takes what is beyond the own rights', async () => {
    const admin = await login('admin');
    expect((await define(admin, 'door-keeper', ['access:write', 'access:read', 'order:read'])).status).toBe(201);
    const keeper = idOf(await login('manager'));
    await give(admin, keeper, [{ role: 'door-keeper', scope: shop('s1') }]);
    const token = await login('manager');
    const target = idOf(await login('customer'));
    const base: Grant[] = [{ role: 'customer', scope: { kind: 'self' } }];
    await give(await login('admin'), target, base);
    const refused: Grant[] = [
      { role: 'door-keeper', scope: shop('s2') },
      { role: 'door-keeper', scope: organisation },
      { role: 'door-keeper', scope: { kind: 'machineGroup', id: 's1' } },
      { role: 'cashier', scope: shop('s1') },
      { role: 'admin', scope: shop('s1') },
    ];
    for (const grant of refused) {
      expect({ grant, status: (await give(token, target, [...base, grant])).status }).toEqual({ grant, status: 403 });
    }
    expect((await give(token, target, [])).status).toBe(403);
    const own = await give(token, target, [...base, { role: 'door-keeper', scope: shop('s1') }]);
    expect(own.status).toBe(200);
  });

  test('are no business of who may nothing there: not their version, not a guess, not the tokens given by them', async () => {
    const [keeper, admin] = [await login('manager'), await login('admin')];
    const guess: Grant[] = [{ role: 'admin', scope: organisation }];
    for (const version of ['"0"', '"7"']) {
      expect((await give(keeper, idOf(admin), guess, version)).body).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    }
    ahead += 10_000;
    expect((await readGrants(admin, idOf(admin))).status).toBe(200);
  });

  test('of others are shown to who may, there', async () => {
    const customer = await login('customer');
    const admin = await login('admin');
    expect((await readGrants(customer, idOf(admin))).status).toBe(403);
    expect((await readGrants(customer, 'nobody')).status).toBe(403);
    expect((await readGrants(admin, 'nobody')).status).toBe(404);
    const keeper = await login('manager');
    expect((await readGrants(keeper, idOf(admin))).status).toBe(403);
    expect((await readGrants(keeper, 'till-s1')).status).toBe(200);
    expect((await readGrants(keeper, 'till-s2')).status).toBe(403);
  });

  test.each([
    [[{ role: 'cashier', scope: { kind: 'shop' } }]],
    [[{ role: 'cashier', scope: { kind: 'organisation', id: 's1' } }]],
    [[{ role: 'cashier', scope: { kind: 'planet' } }]],
    [[{ role: 'cashier', scope: shop('s1'), more: 1 }]],
    [Array.from({ length: 33 }, () => ({ role: 'cashier', scope: shop('s1') }))],
  ])('refuses %j', async (grants) => {
    const admin = await login('admin');
    expect((await give(admin, 'till-s1', grants as Grant[])).body).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  test('of a role that does not exist are refused', async () => {
    const admin = await login('admin');
    const answer = await give(admin, 'till-s1', [{ role: 'king', scope: shop('s1') }]);
    expect(answer.body).toMatchObject({ status: 422, code: 'ROLE_UNKNOWN', role: 'king' });
  });

  test('of a client hold for its next token', async () => {
    const admin = await login('admin');
    expect((await give(admin, 'till-s2', [])).status).toBe(200);
    const form = { grant_type: 'client_credentials', client_id: 'till-s2', client_secret: 'two' };
    const { body } = await http.post('/api/v1/auth/token').type('form').send(form);
    expect(decodeJwt(body.access_token)).toMatchObject({ roles: [], grants: [] });
  });
});

describe('roles', () => {
  test('are defined, changed and removed, and hold as they are now', async () => {
    const admin = await login('admin');
    const made = await define(admin, 'counter', ['inventory:read', 'inventory:write']);
    expect(made.status).toBe(201);
    const till = 'till-s1';
    await give(admin, till, [{ role: 'counter', scope: shop('s1') }]);
    const token = async () => {
      ahead += 1_000;
      const form = { grant_type: 'client_credentials', client_id: till, client_secret: 'one' };
      return String((await http.post('/api/v1/auth/token').type('form').send(form)).body.access_token);
    };
    const before = await token();
    expect(grantsIn(before)).toEqual([{ perm: ['inventory:read', 'inventory:write'], in: ['shop:s1'] }]);
    const changed = await http
      .put('/api/v1/roles/counter')
      .set({ ...as(await login('admin')), 'if-match': made.headers.etag })
      .send({ name: 'counter', description: 'Reads', permissions: ['inventory:read'] });
    expect(changed.status).toBe(200);
    ahead += 10_000;
    expect((await readGrants(before, till)).status).toBe(401);
    expect(grantsIn(await token())).toEqual([{ perm: ['inventory:read'], in: ['shop:s1'] }]);
    const gone = await http
      .delete('/api/v1/roles/counter')
      .set({ ...as(await login('admin')), 'if-match': changed.headers.etag });
    expect(gone.status).toBe(204);
    expect(grantsIn(await token())).toEqual([]);
    const listed = (await http.get('/api/v1/roles').set(as(await login('admin')))).body.items;
    expect(listed.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['admin', 'manager', 'cashier', 'customer']),
    );
    expect(listed.map(({ name }: { name: string }) => name)).not.toContain('counter');
  });

  test('are sets: a permission that is named twice counts once, and does not hide a change', async () => {
    const admin = await login('admin');
    const made = await define(admin, 'doubled', ['order:read', 'order:read']);
    expect(made.body.permissions).toEqual(['order:read']);
    const changed = await http
      .put('/api/v1/roles/doubled')
      .set({ ...as(admin), 'if-match': made.headers.etag })
      .send({ name: 'doubled', description: '', permissions: ['payment:read', 'order:read'] });
    expect(changed.body.permissions).toEqual(['order:read', 'payment:read']);
  });

  test('that are built in stay as they are', async () => {
    const headers = { ...as(await login('admin')), 'if-match': '"0"' };
    const body = { name: 'admin', description: '', permissions: [] };
    expect((await http.put('/api/v1/roles/admin').set(headers).send(body)).body.code).toBe('ROLE_BUILT_IN');
    expect((await http.delete('/api/v1/roles/admin').set(headers)).body.code).toBe('ROLE_BUILT_IN');
    expect((await define(await login('admin'), 'admin', [])).body.code).toBe('ALREADY_EXISTS');
  });

  test('are for who may change access in the whole organisation', async () => {
    for (const who of ['manager', 'customer', 'cashier']) {
      expect((await define(await login(who), 'mine', [])).status).toBe(403);
    }
    expect((await define(await login('admin'), 'mine', ['everything:write'])).body.code).toBe('VALIDATION_FAILED');
  });
});

test('a logout ends the access token of its session, and of no other', async () => {
  const [first, second] = [await login('customer'), await login('customer')];
  expect((await http.post('/api/v1/auth/logout').set(as(first))).status).toBe(204);
  ahead += 10_000;
  expect((await readGrants(first, idOf(first))).status).toBe(401);
  expect((await readGrants(second, idOf(second))).status).toBe(200);
});

test('scopes that give the same are told together', () => {
  const roles = new Map([
    ['a', ['order:read']],
    ['b', ['order:read']],
  ]);
  expect(
    claimed(
      [
        { role: 'a', scope: shop('1') },
        { role: 'b', scope: shop('2') },
        { role: 'gone', scope: shop('3') },
      ],
      roles,
    ),
  ).toEqual([{ perm: ['order:read'], in: ['shop:1', 'shop:2'] }]);
});

describe('sessions of others', () => {
  const sessions = (token: string, id: string) => http.get(`/api/v1/principals/${id}/sessions`).set(as(token));
  const end = (token: string, id: string, session: string) =>
    http.delete(`/api/v1/principals/${id}/sessions/${session}`).set(as(token));
  const sessionIn = (token: string) => String(decodeJwt(token).sid);

  test('are listed and ended one by one by who manages access: its tokens are refused, those of no other', async () => {
    const [lost, kept] = [await login('customer'), await login('customer')];
    const admin = await login('admin');
    const { body } = await sessions(admin, idOf(lost));
    const ids = body.items.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(expect.arrayContaining([sessionIn(lost), sessionIn(kept)]));
    expect((await end(admin, idOf(lost), sessionIn(lost))).status).toBe(204);
    ahead += 10_000;
    expect((await readGrants(lost, idOf(lost))).status).toBe(401);
    expect((await readGrants(kept, idOf(kept))).status).toBe(200);
    expect((await end(admin, idOf(lost), sessionIn(lost))).status).toBe(404);
  });

  test("are nobody else's business, and a session is ended under the account whose it is alone", async () => {
    const [admin, cashier, customer] = [await login('admin'), await login('cashier'), await login('customer')];
    expect((await sessions(cashier, idOf(customer))).status).toBe(403);
    expect((await end(cashier, idOf(customer), sessionIn(customer))).status).toBe(403);
    expect((await end(admin, idOf(cashier), sessionIn(customer))).status).toBe(404);
    expect((await sessions(admin, 'nobody')).status).toBe(404);
    ahead += 10_000;
    expect((await readGrants(customer, idOf(customer))).status).toBe(200);
  });
});
