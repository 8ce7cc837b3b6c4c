// How much one caller may ask, in one table of token buckets.
import type { Clock } from '#kit/time';

export interface Policy {
  /** Tokens that come back per window. */
  readonly quota: number;
  /** Seconds. */
  readonly window: number;
  /** Tokens of a full bucket. */
  readonly burst: number;
}

export const limits = {
  /** Per caller, or per address when it has no token. */
  caller: { quota: 200, window: 1, burst: 400 },
  /** Per pair of address and account: guessing a password. */
  login: { quota: 10, window: 60, burst: 10 },
  /** Per address: trying one password on many accounts. */
  'login-address': { quota: 100, window: 60, burst: 100 },
  /** Per address: mails that strangers are sent. */
  'mail-address': { quota: 30, window: 60, burst: 30 },
} as const satisfies Record<string, Policy>;

export type LimitName = keyof typeof limits;

/** What one take from a bucket has shown. */
export interface Taken {
  readonly name: LimitName;
  readonly granted: boolean;
  /** Whole tokens left. */
  readonly left: number;
  /** Seconds until the next token if none is left, else until the bucket is full. */
  readonly reset: number;
}

/** Most callers that are remembered; who was quiet longest is forgotten, which only fills its bucket. */
const MOST_BUCKETS = 20_000;

/** Token buckets of this process. */
export class Limiter {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one token of the bucket of `who`. */
  take(name: LimitName, who: string): Taken {
    const { quota, window, burst }: Policy = limits[name];
    const perMs = quota / (window * 1_000);
    const key = `${name} ${who}`;
    const at = this.#clock().getTime();
    const known = this.#buckets.get(key) ?? { tokens: burst, at };
    const tokens = Math.min(burst, known.tokens + Math.max(0, at - known.at) * perMs);
    const granted = tokens >= 1;
    const rest = granted ? tokens - 1 : tokens;
    // Deleted first, so that the map stays in the order of last use.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: rest, at });
    if (this.#buckets.size > MOST_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value as string);
    const missing = rest < 1 ? 1 - rest : burst - rest;
    return { name, granted, left: Math.floor(rest), reset: Math.max(1, Math.ceil(missing / perMs / 1_000)) };
  }
}

/** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers), and `Retry-After` when refused. */
export function limitHeaders(taken: readonly Taken[]): Record<string, string> {
  const refused = taken.filter(({ granted }) => !granted).map(({ reset }) => reset);
  return {
    'ratelimit-policy': taken
      .map(({ name }) => `"${name}";q=${limits[name].quota};w=${limits[name].window}`)
      .join(', '),
    ratelimit: taken.map(({ name, left, reset }) => `"${name}";r=${left};t=${reset}`).join(', '),
    ...(refused.length > 0 ? { 'retry-after': String(Math.max(...refused)) } : {}),
  };
}
