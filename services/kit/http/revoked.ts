// Which tokens are over before they expire: what auth says of it, asked when tokens come and the answer is old.
import { type Clock, systemClock } from '../time.ts';
import type { Claims } from './caller.ts';

/** A session that is over, or a subject or role whose tokens given until `at` (milliseconds since 1970) are. */
export interface Revocation {
  readonly session?: string;
  readonly subject?: string;
  readonly role?: string;
  readonly at: number;
}

export type LoadRevocations = () => Promise<readonly Revocation[]>;

/** Milliseconds after which the list is asked for anew, beside the request that found it old. */
const OLD = 1_500;
/** After so long without any request it is waited for. Together with the answer's own time less than 5 s. */
const TOO_OLD = 3_500;

/**
 * Keeps the list. A service that nobody asks asks nothing, and one that is busy asks every 1.5 s, whatever its load.
 * While auth is out of reach, what is known goes on to hold and nothing is waited for: tokens already given keep working.
 */
export class Revoked {
  readonly #load: LoadRevocations;
  readonly #clock: Clock;
  #sessions = new Set<string>();
  #notBefore = new Map<string, number>();
  #loadedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #reachable = true;
  #loading: Promise<void> | undefined;

  constructor(load: LoadRevocations, clock: Clock = systemClock) {
    this.#load = load;
    this.#clock = clock;
  }

  /** Sees to it that the list is not too old, as far as auth can be reached. Never throws. */
  async prepare(): Promise<void> {
    const now = this.#clock().getTime();
    if (now - this.#loadedAt < OLD) return;
    if (now - this.#triedAt >= OLD) this.#refresh(now);
    if (this.#reachable && now - this.#loadedAt > TOO_OLD) await this.#loading;
  }

  /** True if the token is over. `iat` is in seconds: what was given in the very second of a revocation is over, too. */
  has({ sub, sid, roles = [], iat }: Claims & { readonly iat?: number }): boolean {
    if (sid !== undefined && this.#sessions.has(sid)) return true;
    const given = (iat ?? 0) * 1_000;
    return [`subject ${sub}`, ...roles.map((role) => `role ${role}`)].some(
      (name) => given <= (this.#notBefore.get(name) ?? Number.NEGATIVE_INFINITY),
    );
  }

  #refresh(now: number): void {
    this.#triedAt = now;
    this.#loading ??= this.#fetch(now).finally(() => {
      this.#loading = undefined;
    });
  }

  async #fetch(now: number): Promise<void> {
    try {
      const list = await this.#load();
      this.#sessions = new Set(list.flatMap(({ session }) => session ?? []));
      this.#notBefore = notBefore(list);
      this.#loadedAt = now;
      this.#reachable = true;
    } catch {
      this.#reachable = false;
    }
  }
}

function notBefore(list: readonly Revocation[]): Map<string, number> {
  const newest = new Map<string, number>();
  for (const { subject, role, at } of list) {
    const name = subject === undefined ? `role ${role}` : `subject ${subject}`;
    if (subject === undefined && role === undefined) continue;
    newest.set(name, Math.max(at, newest.get(name) ?? 0));
  }
  return newest;
}
