// The public keys that access tokens are checked with: fetched from auth's JWKS, kept, refreshed when a new one appears.
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Fault } from '../errors.ts';
import { type Clock, systemClock } from '../time.ts';

/** A JSON Web Key Set (RFC 7517), as far as we read it. */
export interface Jwks {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

export interface KeyringOptions {
  /** Fetches the JWKS; may throw. */
  readonly loadKeys: () => Promise<Jwks>;
  readonly clock?: Clock;
}

/** Milliseconds between two fetches that an unknown kid causes. */
const REFRESH_EVERY = 5_000;
/** Milliseconds after which keys are fetched again in the background. */
const MAX_AGE = 300_000;

/**
 * Keys by kid. The last good keys are kept through any outage of auth; only while none was ever loaded is a check
 * impossible. Loading happens here and not in koa-jwt's `secret`, where any throw would become a 401.
 */
export class Keyring {
  readonly #load: () => Promise<Jwks>;
  readonly #clock: Clock;
  readonly #onLoss: Array<() => void> = [];
  #keys: ReadonlyMap<string, KeyObject> | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor({ loadKeys, clock = systemClock }: KeyringOptions) {
    this.#load = loadKeys;
    this.#clock = clock;
  }

  /** Makes sure that the kid was looked for. @throws {Fault} while no key was ever loaded */
  async prepare(kid: string | undefined): Promise<void> {
    const age = this.#clock().getTime() - this.#triedAt;
    if (this.#keys === undefined) {
      await this.#refresh().catch((cause) => {
        throw new Fault('no signing keys are known yet', { cause });
      });
    } else if (kid !== undefined && !this.#keys.has(kid) && age >= REFRESH_EVERY) {
      await this.#refresh().catch(() => undefined);
    } else if (age >= MAX_AGE) {
      void this.#refresh().catch(() => undefined);
    }
  }

  /** The key of that kid, if it is known. */
  find(kid: unknown): KeyObject | undefined {
    return typeof kid === 'string' ? this.#keys?.get(kid) : undefined;
  }

  /** Calls back when a key has gone, so that nothing that it vouched for is trusted any longer. */
  onLoss(call: () => void): void {
    this.#onLoss.push(call);
  }

  /** Fetches; callers at the same time share one fetch. */
  #refresh(): Promise<void> {
    this.#loading ??= this.#fetch().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #fetch(): Promise<void> {
    this.#triedAt = this.#clock().getTime();
    const fresh = new Map<string, KeyObject>();
    for (const jwk of (await this.#load()).keys) {
      const kid = jwk.kid;
      if (typeof kid !== 'string' || jwk.kty !== 'RSA' || (jwk.alg ?? 'RS256') !== 'RS256') continue;
      fresh.set(kid, createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }));
    }
    if (fresh.size === 0) throw new Error('the key set holds no RS256 key');
    const lost = [...(this.#keys?.keys() ?? [])].some((kid) => !fresh.has(kid));
    this.#keys = fresh;
    if (lost) for (const call of this.#onLoss) call();
  }
}
