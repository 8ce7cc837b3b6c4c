// Signing in, staying signed in, and the keys that everyone checks our tokens with.
import { z } from 'zod';
import { refuse } from '#kit/errors';
import { type Api, api, internal, noContent, ok } from '#kit/http/api';
import type { Clock } from '#kit/time';
import { accessRoutes } from './access-routes.ts';
import { accountRoutes } from './account-routes.ts';
import { type Account, type Accounts, isOutlived } from './accounts.ts';
import { tokenEndpoint } from './client-credentials.ts';
import type { Errands } from './errands.ts';
import type { SigningKeys } from './keyring.ts';
import type { Revocations } from './revocations.ts';
import type { Rights } from './rights.ts';
import { sessionRoutes } from './session-routes.ts';
import type { Sessions } from './sessions.ts';
import { ACCESS_SECONDS, issueAccessToken, NO_STORE } from './tokens.ts';

export interface AuthParts {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly rights: Rights;
  readonly revocations: Revocations;
  readonly keys: SigningKeys;
  readonly errands: Errands;
  /** Called with every mail that is owed. */
  readonly owed: (errand: string) => void;
  readonly clock: Clock;
}

const Tokens = z
  .strictObject({
    accessToken: z.string(),
    refreshToken: z.string(),
    expiresIn: z.int().meta({ description: 'Seconds' }),
    tokenType: z.literal('Bearer'),
  })
  .meta({ id: 'Tokens' });

const Login = z.strictObject({ email: z.string().min(1).max(254), password: z.string().min(1).max(1_024) });
const RefreshToken = z.string().min(1).max(512);
const Jwks = z.strictObject({ keys: z.array(z.record(z.string(), z.unknown())) });
const Revoked = z.strictObject({
  items: z.array(
    z.strictObject({
      session: z.string().optional(),
      subject: z.string().optional(),
      role: z.string().optional(),
      at: z.int().meta({ description: 'Milliseconds since 1970' }),
    }),
  ),
});
const AccountView = z.strictObject({ id: z.string(), email: z.string(), name: z.string() });

/** All routes of the service. */
export function routes(parts: AuthParts): Pick<Api, 'routes'>[] {
  const { accounts, sessions, rights, revocations, keys, clock } = parts;

  async function tokensFor(account: Account, session: { id: string }, refreshToken: string) {
    const subject = { id: account.id, session: session.id, ...(await rights.of(account)) };
    const accessToken = await issueAccessToken(keys, subject, clock);
    const tokens = { accessToken, refreshToken, expiresIn: ACCESS_SECONDS, tokenType: 'Bearer' as const };
    return ok(tokens, { headers: NO_STORE });
  }

  const signIn = api('/auth', { tag: 'auth' })
    .post(
      '/login',
      {
        summary: 'Sign in with e-mail address and password',
        access: 'anyone',
        takes: Login,
        answers: { 200: Tokens },
        refusals: ['CREDENTIALS_INVALID'],
      },
      async ({ body, header }) => {
        const account = await accounts.signIn(body.email, body.password);
        if (!account) return refuse('CREDENTIALS_INVALID');
        const { session, token } = await sessions.begin(account.id, header('user-agent'));
        return tokensFor(account, session, token);
      },
    )
    .post(
      '/refresh',
      {
        summary: 'Change a refresh token for new tokens',
        description:
          'Each refresh token is good once, and once more within 3 s if the answer was lost; any other that comes back ends the whole session.',
        access: 'anyone',
        takes: z.strictObject({ refreshToken: RefreshToken }),
        answers: { 200: Tokens },
        refusals: ['REFRESH_TOKEN_INVALID'],
      },
      async ({ body }) => {
        const { session, token, reused } = await sessions.rotate(body.refreshToken);
        if (reused !== undefined) await revocations.add({ session: reused });
        const account = session && (await accounts.byId(session.accountId));
        if (!account || token === undefined || isOutlived(account, session)) return refuse('REFRESH_TOKEN_INVALID');
        return tokensFor(account, session, token);
      },
    )
    .post(
      '/logout',
      {
        summary: 'End the session',
        description: 'Of the refresh token in the body, or else of the access token.',
        access: 'anyone',
        takes: z.strictObject({ refreshToken: RefreshToken.optional() }).optional(),
        answers: { 204: null },
      },
      async ({ body, caller }) => {
        if (body?.refreshToken === undefined && !caller) return refuse('UNAUTHENTICATED');
        const named = body?.refreshToken === undefined ? undefined : await sessions.endByToken(body.refreshToken);
        if (caller?.session !== undefined) await sessions.end(caller.session);
        for (const session of new Set([named, caller?.session])) {
          if (session !== undefined) await revocations.add({ session });
        }
        return noContent({ headers: NO_STORE });
      },
    );

  const jwks = async () =>
    ok(
      { keys: (await keys.jwks()).keys as Record<string, unknown>[] },
      { headers: { 'cache-control': 'public, max-age=60' } },
    );
  const wellKnown = api('/.well-known', { tag: 'auth', root: true }).get(
    '/jwks.json',
    { summary: 'The keys that access tokens are signed with', access: 'anyone', answers: { 200: Jwks } },
    jwks,
  );

  const inner = internal('')
    .get('/jwks', { summary: 'The same, for services', answers: { 200: Jwks } }, jwks)
    .get('/revocations', { summary: 'What is over before it expires', answers: { 200: Revoked } }, async () =>
      ok({ items: await revocations.list() }),
    )
    .get('/accounts/:id', { summary: 'Whom a mail goes to', answers: { 200: AccountView } }, async ({ params }) => {
      const account = await accounts.byId(params.id);
      if (!account) return refuse('NOT_FOUND');
      return ok({ id: account.id, email: account.email, name: account.name });
    });

  return [
    signIn,
    accountRoutes(parts),
    ...sessionRoutes(parts),
    tokenEndpoint(parts),
    ...accessRoutes(parts),
    wellKnown,
    inner,
  ] as Pick<Api, 'routes'>[];
}
