// The sessions of an account, seen and ended by its owner.
import { z } from 'zod';
import { refuse } from '#kit/errors';
import { type Api, api, type Caller, noContent, ok } from '#kit/http/api';
import type { AuthParts } from './routes.ts';
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

/** `/auth/sessions`. */
export function sessionRoutes({ accounts, sessions, revocations }: AuthParts): Api {
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
        if (!found?.some(({ id }) => id === params.id)) return refuse('NOT_FOUND');
        // In this order: after a crash between the two the session is still listed, and can be ended again.
        await revocations.add({ session: params.id });
        await sessions.end(params.id);
        return noContent({ headers: NO_STORE });
      },
    );
}
