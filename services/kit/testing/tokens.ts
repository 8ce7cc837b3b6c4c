// Access tokens for tests: a key pair, a verifier that knows it, and tokens signed by it.
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createVerifier, type Verifier } from '../http/auth.ts';
import type { Jwks } from '../http/keys.ts';

export interface TestIssuer {
  readonly verifier: Verifier;
  readonly jwks: Jwks;
  readonly publicKey: KeyObject;
  /** A good token; `claims` are added or replaced, undefined removes one; rights without shops hold everywhere. Use as `Authorization: Bearer <token>`. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): string;
}

/** Makes an issuer. Tokens last 10 minutes unless `exp` says otherwise; `perm: [...]` and `shops: [...]` give rights. */
export function testIssuer(kid = 'test-key'): TestIssuer {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwks: Jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] };
  return {
    verifier: createVerifier({ loadKeys: async () => jwks }),
    jwks,
    publicKey,
    token: (claims = {}, header = {}) => signToken(privateKey, claims, { kid, ...header }),
  };
}

/** Signs anything with anything: `alg` of the header decides (RS256, HS256 with the key's PEM, none). */
export function signToken(key: KeyObject, claims: Record<string, unknown>, header: Record<string, unknown>): string {
  const now = Math.floor(Date.now() / 1000);
  const head = { alg: 'RS256', typ: 'at+jwt', ...header };
  const body = {
    iss: 'retail-erp',
    aud: 'retail-erp-api',
    sub: 'someone',
    iat: now,
    exp: now + 600,
    roles: [],
    perm: [],
    shops: claims.perm === undefined ? [] : ['*'],
    ...claims,
  };
  const input = `${encode(head)}.${encode(body)}`;
  return `${input}.${signatureOf(input, head.alg, key)}`;
}

function signatureOf(input: string, alg: string, key: KeyObject): string {
  if (alg === 'none') return '';
  if (alg === 'HS256') {
    const pem = key.export({ type: 'spki', format: 'pem' });
    return createHmac('sha256', pem).update(input).digest('base64url');
  }
  return sign('sha256', Buffer.from(input), key).toString('base64url');
}

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
