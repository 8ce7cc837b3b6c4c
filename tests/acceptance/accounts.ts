// From a registration to a customer, by the mails that a person gets.
import { expect, it } from '@jest/globals';
import { settles } from '../client/eventually.ts';
import type { Session } from '../client/identity.ts';
import { bearer } from '../client/identity.ts';
import { expectProblem, expectStatus } from './expectations.ts';
import { unique } from './goods.ts';
import type { World } from './world.ts';

export function accountSuite(world: World): void {
  const post = <T = unknown>(path: string, body: object) =>
    world.anybody.send<T>('POST', `/api/v1/auth${path}`, { body });
  const login = (email: string, password: string) => post<Session>('/login', { email, password });

  /** The token in the newest mail to that address with that subject. */
  async function tokenOf(email: string, subject: string): Promise<string> {
    let token: string | undefined;
    await settles(
      async () => {
        const mails = (await world.inbox()).filter(
          (mail) => mail.subject === subject && mail.to.some(({ address }) => address === email),
        );
        token = /id="token">([^<]+)</.exec(mails.at(-1)?.html ?? '')?.[1];
        expect(token).toBeDefined();
      },
      { within: 20_000 },
    );
    return token ?? '';
  }

  it('opens an account by the mail to its address, and replaces its password by another', async () => {
    const email = `${unique('ann')}@shop.test`;
    const registration = { email, password: 'correct horse 42', name: 'Ann' };
    const asked = expectStatus(await post('/register', registration), 202);
    expectProblem(await login(email, 'correct horse 42'), 401);
    const token = await tokenOf(email, 'Confirm your address');
    expectStatus(await post('/verify', { token }), 204);
    expect(expectProblem(await post('/verify', { token }), 400).code).toBe('MAIL_TOKEN_INVALID');
    const { body: session } = expectStatus(await login(email, 'correct horse 42'), 200);
    expectStatus(await world.anybody.as(bearer(session.accessToken)).send('GET', '/api/v1/orders'), 200);

    // A second registration is answered as the first one was.
    expect(expectStatus(await post('/register', registration), 202).body).toEqual(asked.body);
    expectStatus(await post('/password/forgot', { email }), 202);
    const reset = { token: await tokenOf(email, 'Replace your password'), password: 'a new password 7' };
    expectStatus(await post('/password/reset', reset), 204);
    expectProblem(await post('/refresh', { refreshToken: session.refreshToken }), 401);
    await settles(
      async () => {
        expectProblem(await world.anybody.as(bearer(session.accessToken)).send('GET', '/api/v1/orders'), 401);
      },
      { within: 5_000 },
    );
    expectProblem(await login(email, 'correct horse 42'), 401);
    expectStatus(await login(email, 'a new password 7'), 200);
  });

  it('shows an owner the sessions by device, and ends one everywhere within 5 s', async () => {
    const email = `${unique('bob')}@shop.test`;
    expectStatus(await post('/register', { email, password: 'correct horse 42', name: 'Bob' }), 202);
    expectStatus(await post('/verify', { token: await tokenOf(email, 'Confirm your address') }), 204);
    const phone = expectStatus(
      await world.anybody.send<Session>('POST', '/api/v1/auth/login', {
        body: { email, password: 'correct horse 42' },
        headers: { 'user-agent': 'Phone 1' },
      }),
      200,
    ).body;
    const desk = expectStatus(await login(email, 'correct horse 42'), 200).body;
    const [atDesk, atPhone] = [world.anybody.as(bearer(desk.accessToken)), world.anybody.as(bearer(phone.accessToken))];
    expectStatus(await atPhone.send('GET', '/api/v1/orders'), 200);
    const { body } = expectStatus(
      await atDesk.send<{ items: { id: string; device: string }[] }>('GET', '/api/v1/auth/sessions'),
      200,
    );
    const found = body.items.find(({ device }) => device === 'Phone 1');
    expectStatus(await atDesk.send('DELETE', `/api/v1/auth/sessions/${found?.id}`), 204);
    await settles(async () => void expectProblem(await atPhone.send('GET', '/api/v1/orders'), 401), { within: 5_000 });
    expectStatus(await atDesk.send('GET', '/api/v1/orders'), 200);
  });
}
