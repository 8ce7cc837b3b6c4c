// Access tokens: checked by koa-jwt plus the checks that it leaves out, and remembered until they expire.
import { createHash } from 'node:crypto';
import type Koa from 'koa';
import koaJwt from 'koa-jwt';
import { type Refusal, refuse } from '../errors.ts';
import { systemClock } from '../time.ts';
import { type Caller, type Claims, callerOf } from './caller.ts';
import { Keyring, type KeyringOptions } from './keys.ts';
import { type LoadRevocations, Revoked } from './revoked.ts';

/** Issuer and audience of every access token. */
export const ISSUER = 'retail-erp';
export const AUDIENCE = 'retail-erp-api';

/** Reads the caller from the `Authorization` header. */
export interface Verifier {
  /**
   * The caller, undefined when no token came, or UNAUTHENTICATED for anything but a good bearer token.
   * @throws {Fault} while no signing key was ever loaded
   */
  identify(ctx: Koa.Context): Promise<Caller | Refusal | undefined>;
}

export interface VerifierOptions extends KeyringOptions {
  /** Asks auth what is over before it expires; may throw. Without it nothing is. */
  readonly loadRevocations?: LoadRevocations;
}

interface Remembered {
  readonly caller: Caller;
  readonly claims: Claims;
  /** Seconds since 1970, as in the token. */
  readonly exp: number;
}

/** Verified tokens kept in memory. */
const MOST_REMEMBERED = 2_000;

/** Longest token that is looked at; ours are below 2 KiB. */
const MAX_TOKEN = 4_096;

/** Header members that would let a token choose its own key or rules (RFC 7515 sections 4.1, 7797). */
const forbidden = ['crit', 'b64', 'jku', 'x5u', 'x5c', 'jwk'];

/** Makes the verifier of a process. */
export function createVerifier(options: VerifierOptions): Verifier {
  const clock = options.clock ?? systemClock;
  const keyring = new Keyring(options);
  const revoked = new Revoked(options.loadRevocations ?? (async () => []), clock);
  const remembered = new Map<string, Remembered>();
  keyring.onLoss(() => remembered.clear());

  const check = koaJwt({
    // Called before the signature is checked; a throw is a 401. The types of koa-jwt 4 do not know KeyObject.
    secret: (async (header: unknown, payload: unknown) => {
      assertStrict(header, payload);
      const key = keyring.find((header as { kid?: unknown }).kid);
      if (!key) throw new Error('unknown kid');
      return key;
    }) as unknown as koaJwt.SecretLoader,
    algorithms: ['RS256'],
    issuer: ISSUER,
    audience: AUDIENCE,
    key: 'claims',
  });

  return {
    async identify(ctx) {
      const header = ctx.headers.authorization;
      if (header === undefined) return undefined;
      const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header)?.[1];
      if (token === undefined || token.length > MAX_TOKEN) return refuse('UNAUTHENTICATED');
      const digest = createHash('sha256').update(token).digest('base64');
      const known = remembered.get(digest);
      await revoked.prepare();
      if (known) {
        if (revoked.has(known.claims)) return over();
        if (known.exp * 1_000 > clock().getTime()) return known.caller;
        remembered.delete(digest);
        return refuse('UNAUTHENTICATED', { text: 'The access token has expired' });
      }
      await keyring.prepare(kidOf(token));
      try {
        await check(ctx, async () => undefined);
      } catch (error) {
        if ((error as { status?: number }).status !== 401) throw error;
        return refuse('UNAUTHENTICATED', { text: reasonOf(error) });
      }
      const claims = ctx.state.claims as Claims & { exp: number };
      if (revoked.has(claims)) return over();
      const caller = callerOf(claims);
      if (remembered.size >= MOST_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
      remembered.set(digest, { caller, claims, exp: claims.exp });
      return caller;
    },
  };
}

/** The same words as for one that has expired: the client does the same about it. */
function over(): Refusal {
  return refuse('UNAUTHENTICATED', { text: 'The access token has expired' });
}

/** What koa-jwt accepts by itself and we do not: foreign type, own key, no expiry (RFC 9068 section 4, RFC 8725). */
function assertStrict(header: unknown, payload: unknown): void {
  const head = header as Record<string, unknown>;
  const claims = payload as Record<string, unknown> | null;
  if (head.typ !== 'at+jwt' || head.alg !== 'RS256') throw new Error('not an access token');
  if (forbidden.some((name) => name in head)) throw new Error('header not allowed');
  if (typeof claims !== 'object' || claims === null) throw new Error('no claims');
  if (!Number.isFinite(claims.exp)) throw new Error('no expiry');
  if (typeof claims.sub !== 'string' || claims.sub === '') throw new Error('no subject');
  for (const name of ['roles', 'perm', 'shops']) {
    const list = claims[name];
    if (list !== undefined && !isTexts(list)) throw new Error(`${name} is not a list`);
  }
  const { grants = [] } = claims;
  if (!(Array.isArray(grants) && grants.every((grant) => isTexts(grant?.perm) && isTexts(grant?.in)))) {
    throw new Error('grants is not a list of permissions and scopes');
  }
}

function isTexts(list: unknown): boolean {
  return Array.isArray(list) && list.every((item) => typeof item === 'string');
}

function kidOf(token: string): string | undefined {
  try {
    const header = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('utf8'));
    return typeof header?.kid === 'string' ? header.kid : undefined;
  } catch {
    return undefined;
  }
}

/** Only expiry is told apart, since a client acts on it; which other check failed helps nobody but a forger. */
function reasonOf(error: unknown): string {
  const cause = (error as { originalError?: Error }).originalError;
  return cause?.name === 'TokenExpiredError' ? 'The access token has expired' : 'The access token is not valid';
}
