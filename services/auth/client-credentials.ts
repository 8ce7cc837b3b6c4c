// Tokens for machines: OAuth 2 client credentials. This one route speaks RFC 6749 also when it refuses.
import { z } from 'zod';
import { Answer, api, type Call, ok } from '#kit/http/api';
import type { Client } from './accounts.ts';
import type { AuthParts } from './routes.ts';
import { ACCESS_SECONDS, issueAccessToken, NO_STORE } from './tokens.ts';

const FORM = 'application/x-www-form-urlencoded';

const TokenAnswer = z
  .strictObject({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() })
  .meta({ id: 'ClientToken' });
const OAuthError = z.strictObject({ error: z.string(), error_description: z.string() }).meta({ id: 'OAuthError' });

type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_scope';

/** `POST /auth/token`: `client_secret_post` and `client_secret_basic` (RFC 6749 section 2.3.1). */
export function tokenEndpoint({ accounts, rights, keys, clock }: AuthParts) {
  return api('/auth', { tag: 'auth' }).post(
    '/token',
    {
      summary: 'An access token for a till or machine',
      description: 'OAuth 2.0 client credentials (RFC 6749 section 4.4), as a form.',
      access: 'anyone',
      ownAuthorization: true,
      raw: true,
      maxBody: 8_192,
      answers: { 200: TokenAnswer, 400: OAuthError, 401: OAuthError },
    },
    async (call) => {
      const form = readForm(call);
      if (typeof form === 'string') return oauthError('invalid_request', form);
      const credentials = readCredentials(form, call.header('authorization'));
      if (typeof credentials === 'string') return oauthError('invalid_request', credentials);
      if (form.get('grant_type') === undefined) return oauthError('invalid_request', 'grant_type is missing');
      if (form.get('grant_type') !== 'client_credentials') {
        return oauthError('unsupported_grant_type', 'Only client_credentials is supported');
      }
      if (form.get('scope')) return oauthError('invalid_scope', 'A client has the rights of its role');
      const client = credentials && (await accounts.clientBySecret(credentials.id, credentials.secret));
      if (!client) return oauthError('invalid_client', 'Client authentication failed');
      return ok(await tokenFor(client), { headers: { ...NO_STORE, pragma: 'no-cache' } });
    },
  );

  async function tokenFor(client: Client) {
    const { id } = client;
    const token = await issueAccessToken(keys, { id, clientId: id, ...(await rights.of(client)) }, clock);
    return { access_token: token, token_type: 'Bearer' as const, expires_in: ACCESS_SECONDS };
  }
}

/** The parameters, each at most once (RFC 6749 section 3.2), or what is wrong with them. */
function readForm(call: Pick<Call<string, { raw: true }>, 'raw' | 'header'>): Map<string, string> | string {
  const type = call.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== FORM) return `The body must be ${FORM}`;
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(call.raw.toString('utf8'))) {
    if (form.has(name)) return `${name.slice(0, 40)} is given more than once`;
    form.set(name, value);
  }
  return form;
}

/** Id and secret from the form or the header, never from both; undefined: none were given. */
function readCredentials(form: Map<string, string>, authorization: string | undefined) {
  const [id, secret] = [form.get('client_id'), form.get('client_secret')];
  if (authorization === undefined) return id && secret ? { id, secret } : undefined;
  if (secret !== undefined) return 'The client authenticates in two ways at once';
  const basic = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  const pair = /^([^:]*):(.*)$/s.exec(Buffer.from(basic ?? '', 'base64').toString('utf8'));
  try {
    // Both halves are form-encoded inside the header (RFC 6749 section 2.3.1).
    const [user, password] = [pair?.[1], pair?.[2]].map((part) =>
      decodeURIComponent((part ?? '').replaceAll('+', ' ')),
    );
    return user && password ? { id: user, secret: password } : undefined;
  } catch {
    return undefined;
  }
}

function oauthError(error: OAuthErrorCode, description: string) {
  const headers: Record<string, string> = { ...NO_STORE };
  if (error === 'invalid_client') headers['www-authenticate'] = 'Basic realm="retail-erp"';
  return new Answer(error === 'invalid_client' ? 401 : 400, { error, error_description: description }, headers);
}
