// Who calls: where a request's bearer token comes from, cached and renewed.
import type { Gateway } from './gateway.ts';

/** A source of bearer tokens. */
export interface Identity {
  /** The token to send now; undefined sends none. */
  token(gateway: Gateway): Promise<string | undefined>;
  /** Called when the gateway refused the token with 401: the next call of `token` must not answer it again. */
  forget(token: string): void;
}

/** What login and refresh answer. */
export interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly tokenType: 'Bearer';
}

/** Renewed this many milliseconds before the end, so that a token never ends on its way. */
const MARGIN = 30_000;

/** Sends no token. */
export const nobody: Identity = { token: async () => undefined, forget: () => {} };

/** Always the same token, whatever the gateway thinks of it. */
export function bearer(token: string): Identity {
  return { token: async () => token, forget: () => {} };
}

/** A person: logs in at the first call, then once per token life. */
export function person(email: string, password: string): Identity {
  return cached(async (gateway) => {
    const { body } = await gateway.call<Session>('POST', '/api/v1/auth/login', {
      body: { email, password },
      repeatable: true,
    });
    return { token: body.accessToken, seconds: body.expiresIn };
  });
}

/** A till or machine: an OAuth client by client credentials (RFC 6749 section 4.4). */
export function client(id: string, secret: string): Identity {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: id,
    client_secret: secret,
  }).toString();
  return cached(async (gateway) => {
    const { body } = await gateway.call<{ access_token: string; expires_in: number }>('POST', '/api/v1/auth/token', {
      raw: form,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      repeatable: true,
    });
    return { token: body.access_token, seconds: body.expires_in };
  });
}

function cached(ask: (gateway: Gateway) => Promise<{ token: string; seconds: number }>): Identity {
  let held: { token: string; until: number } | undefined;
  let asked: Promise<string> | undefined;
  const renew = async (gateway: Gateway): Promise<string> => {
    const { token, seconds } = await ask(gateway.as(nobody));
    held = { token, until: Date.now() + seconds * 1000 - MARGIN };
    return token;
  };
  return {
    async token(gateway) {
      if (held && Date.now() < held.until) return held.token;
      asked ??= renew(gateway).finally(() => {
        asked = undefined;
      });
      return asked;
    },
    forget(token) {
      if (held?.token === token) held = undefined;
    },
  };
}
