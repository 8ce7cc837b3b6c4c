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

/** The sessions of an account; undefined if there is none of that id, as for a client. */
async function sessionsOf({ accounts, sessions }: AuthParts, id: string): Promise<Listed[] | undefined> {
  const account = await accounts.byId(id);
  return account && (await sessions.list(account));
}

function list(found: readonly Listed[], caller: Caller) {
  const items = found.map((each) => ({ ...each, current: each.id === caller.session }));
  return ok({ items, next: null }, { headers: NO_STORE });
}

/** Ends one of the sessions of an account. */
async function end(parts: AuthParts, accountId: string, id: string) {
  const found = await sessionsOf(parts, accountId);
  if (!found?.some((session) => session.id === id)) return refuse('NOT_FOUND');
  // In this order: after a crash between the two the session is still listed, and can be ended again.
  await parts.revocations.add({ session: id });
  await parts.sessions.end(id);
  return noContent({ headers: NO_STORE });
}

function managedRoutes(parts: AuthParts) {
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
        const found = await sessionsOf(parts, params.id);
        return found ? list(found, caller) : refuse('NOT_FOUND');
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
      async ({ params }) => end(parts, params.id, params.session),
    );
}

function ownRoutes(parts: AuthParts) {
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
        const found = await sessionsOf(parts, caller.id);
        return found ? list(found, caller) : refuse('FORBIDDEN');
      },
    )
    .delete(
      '/sessions/:id',
      { summary: 'End one of the own sessions', access: 'caller', answers: { 204: null }, refusals: ['NOT_FOUND'] },
      async ({ params, caller }) => end(parts, caller.id, params.id),
    );
}
