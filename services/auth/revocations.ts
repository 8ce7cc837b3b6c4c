// What is over before its tokens expire: a session, everything of a subject, everything given with a role.
import { setTimeout as pause } from 'node:timers/promises';
import type { Sidecar } from '#kit/dapr/sidecar';
import { Conflict, Fault } from '#kit/errors';
import type { Revocation } from '#kit/http/revoked';
import type { Clock } from '#kit/time';
import { ACCESS_SECONDS } from './tokens.ts';

type Ended = { readonly session: string } | { readonly subject: string } | { readonly role: string };

/** A document takes what was revoked in a minute. */
const MINUTE = 60_000;
/** Minutes that are told: the life of a token, and one for clocks that differ. */
const TOLD = ACCESS_SECONDS / 60 + 2;
const TRIES = 12;

/** The list in the state store, for all replicas. Every method throws Fault when the store is out of reach. */
export class Revocations {
  readonly #sidecar: Sidecar;
  readonly #store: string;
  readonly #clock: Clock;

  constructor(sidecar: Sidecar, store: string, clock: Clock) {
    this.#sidecar = sidecar;
    this.#store = store;
    this.#clock = clock;
  }

  /** Ends every token of that session, or those of the subject or role that were given until now. */
  async add(ended: Ended): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const at = this.#clock().getTime();
      const key = keyOf(at);
      const stored = await this.#sidecar.get<Revocation[]>(this.#store, key);
      const list = [...(stored?.value ?? []), { ...ended, at }];
      try {
        const guard = stored ? { etag: stored.etag } : 'new';
        return await this.#sidecar.save(this.#store, key, list, guard, { ttlSeconds: (TOLD + 2) * 60 });
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        await pause(Math.random() * 20 * (tries + 1));
      }
    }
    throw new Fault('too many revocations at once');
  }

  /** All that tokens may still have to be refused for. */
  async list(): Promise<Revocation[]> {
    const now = this.#clock().getTime();
    const keys = Array.from({ length: TOLD }, (_, ago) => keyOf(now - ago * MINUTE));
    // The two that may still be written are read strongly; the others stand.
    const [open, before] = [keys.slice(0, 2), keys.slice(2)];
    const [fresh, old] = await Promise.all([
      Promise.all(open.map((key) => this.#sidecar.get<Revocation[]>(this.#store, key))),
      this.#sidecar.getBulk<Revocation[]>(this.#store, before),
    ]);
    return [...old.values(), ...fresh].flatMap((stored) => stored?.value ?? []);
  }
}

function keyOf(at: number): string {
  return `revoked:${Math.floor(at / MINUTE)}`;
}
