// Access tokens: JWTs by RFC 9068, good for ten minutes everywhere without asking us.
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { AUDIENCE, ISSUER } from '#kit/http/auth';
import type { Clock } from '#kit/time';
import type { SigningKeys } from './keyring.ts';
import type { Held } from './rights.ts';

/** Life of an access token in seconds. */
export const ACCESS_SECONDS = 600;

/** Tokens are for the one who asked, not for any cache on the way (RFC 6749 section 5.1). */
export const NO_STORE = { 'cache-control': 'no-store' };

export interface Subject extends Held {
  readonly id: string;
  /** Set for machines. */
  readonly clientId?: string;
  /** The login session, so that a logout knows what to end. */
  readonly session?: string;
}

/** Signs an access token with the current key. @throws {Fault} the keys are out of reach */
export async function issueAccessToken(keys: SigningKeys, subject: Subject, clock: Clock): Promise<string> {
  const { kid, key } = await keys.signer();
  const now = Math.floor(clock().getTime() / 1_000);
  const claims = {
    ...(subject.clientId === undefined ? {} : { client_id: subject.clientId }),
    ...(subject.session === undefined ? {} : { sid: subject.session }),
    roles: subject.roles,
    grants: subject.grants,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(subject.id)
    .setIssuedAt(now)
    .setExpirationTime(now + ACCESS_SECONDS)
    .setJti(randomUUID())
    .sign(key);
}
