// The sessions of an account, seen and ended by its owner or by who manages access.
import { z } from 'zod';
import { refuse } from '#kit/errors';
import { type Api, api, type Caller, noContent, ok } from '#kit/http/api';
import type { AuthParts } from './routes.ts';
import type { Listed } from './sessions.ts';
import { NO_STORE } from './tokens.ts';

const SessionView = z
  .strictObject({
    id: z.string(),
    device: z.string().meta({ description: 'The User-Agent of the login' }),
    startedAt: z.string(),
    usedAt: z.string().meta({ description: 'The last login or refresh' }),
    current: z.boolean(),
  })
  .meta({ id: 'LoginSession' });
const SessionList = z.strictObject({ items: z.array(SessionView), next: z.null() }).meta({ id: 'LoginSessions' });

const manages = { can: 'access:write', everywhere: true } as const;

/** `/auth/sessions` of the caller, `/principals/{id}/sessions` of anybody. */
export function sessionRoutes(parts: AuthParts): Pick<Api, 'routes'>[] {
  return [ownRoutes(parts), managedRoutes(parts)];
}

/** Ends one of those sessions. In this order: after a crash between the two it is still listed, and can be ended again. */
async function end({ sessions, revocations }: AuthParts, listed: readonly Listed[], id: string) {
  if (!listed.some((session) => session.id === id)) return refuse('NOT_FOUND');
  await revocations.add({ session: id });
  await sessions.end(id);
  return noContent({ headers: NO_STORE });
}

function managedRoutes(parts: AuthParts) {
  const { accounts, sessions } = parts;
  const of = async (id: string) => {
    const account = await accounts.byId(id);
    return account && (await sessions.list(account));
  };
  return api('/principals', { tag: 'access' })
    .get(
      '/:id/sessions',
      {
        summary: 'The sessions of an account',
        description: 'Those of its last hundred logins that go on, newest first.',
        access: manages,
        answers: { 200: SessionList },
        refusals: ['NOT_FOUND'],
      },
      async ({ params, caller }) => {
        const found = await of(params.id);
        if (!found) return refuse('NOT_FOUND');
        const items = found.map((each) => ({ ...each, current: each.id === caller.session }));
        return ok({ items, next: null }, { headers: NO_STORE });
      },
    )
    .delete(
      '/:id/sessions/:session',
      {
        summary: 'End a session of an account',
        description:
          'Every service refuses its tokens within 5 s. It gives nobody a right, so that any holder of `access:write` may.',
        access: manages,
        answers: { 204: null },
        refusals: ['NOT_FOUND'],
      },
      async ({ params }) => end(parts, (await of(params.id)) ?? [], params.session),
    );
}

function ownRoutes(parts: AuthParts) {
  const { accounts, sessions } = parts;
  const own = async (caller: Caller) => {
    const account = caller.clientId === undefined ? await accounts.byId(caller.id) : undefined;
    return account && (await sessions.list(account));
  };
  return api('/auth', { tag: 'auth' })
    .get(
      '/sessions',
      {
        summary: 'The own sessions',
        description: 'Those of the last hundred logins that go on, newest first.',
        access: 'caller',
        answers: { 200: SessionList },
      },
      async ({ caller }) => {
        const found = await own(caller);
        if (!found) return refuse('FORBIDDEN');
        const items = found.map((each) => ({ ...each, current: each.id === caller.session }));
        return ok({ items, next: null }, { headers: NO_STORE });
      },
    )
    .delete(
      '/sessions/:id',
      { summary: 'End one of the own sessions', access: 'caller', answers: { 204: null }, refusals: ['NOT_FOUND'] },
      async ({ params, caller }) => {
        const found = await own(caller);
        return end(parts, found ?? [], params.id);
      },
    );
}
