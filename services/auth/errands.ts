// What people are written about their account: a mail that is owed, and the token in it, good once.
import { createHmac, hkdfSync, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Sidecar, Stored, Write } from '#kit/dapr/sidecar';
import { Conflict, Overload } from '#kit/errors';
import { bucketOf, keyPart } from '#kit/ids';
import type { Clock } from '#kit/time';
import { type Applicant, normalEmail } from './accounts.ts';

/** `nothing` is owed to an address that nobody has: it costs the time that a mail costs. */
export type Purpose = 'verify' | 'known' | 'reset' | 'replaced' | 'nothing';

export interface Errand {
  readonly purpose: Purpose;
  readonly email: string;
  readonly accountId?: string | undefined;
  /** Of `verify`: what becomes an account. */
  readonly applicant?: Applicant;
  readonly expiresAt: string;
  readonly used?: boolean;
  readonly sent?: boolean;
  /** Who is sending it, until when. */
  readonly claim?: { readonly by: string; readonly until: number };
}

export interface ErrandsParts {
  readonly sidecar: Sidecar;
  readonly store: string;
  /** The key-encryption secret: tokens follow from it. */
  readonly secret: () => Promise<string>;
  readonly clock: Clock;
}

const LIFE_SECONDS = 24 * 3600;
const ttlSeconds = LIFE_SECONDS;
/** The mails owed stand in so many lists, each of at most so many. */
const LISTS = 8;
const MOST_OWED = 500;
const TRIES = 8;
/** Mails that one address is sent within the window. */
const WINDOW_MS = 10 * 60_000;
const MOST_MAILS = 3;

/**
 * Errands in the state store. A token is its errand's name and an HMAC over it: the store holds nothing that a token
 * could be made of, not even a hash, and a mail that is sent twice bears the same one. Every method throws Fault when
 * the store is out of reach.
 */
export class Errands {
  readonly #parts: ErrandsParts;

  constructor(parts: ErrandsParts) {
    this.#parts = parts;
  }

  /**
   * Owes a mail. To an address that was written to three times (`most`) within ten minutes nothing is owed, and nobody
   * is told so. Answers the id of the errand. @throws {Overload} too many mails are owed already
   */
  async owe(errand: Omit<Errand, 'expiresAt' | 'used' | 'sent' | 'claim'>, most = MOST_MAILS): Promise<string> {
    const { sidecar, store, clock } = this.#parts;
    const id = randomUUID();
    const written = `written:${keyPart(normalEmail(errand.email))}`;
    for (let tries = 0; tries < TRIES; tries++) {
      const now = clock().getTime();
      const [before, list] = await Promise.all([
        sidecar.get<number[]>(store, written),
        sidecar.get<string[]>(store, listOf(id)),
      ]);
      const lately = (before?.value ?? []).filter((at) => now - at < WINDOW_MS);
      const purpose = lately.length < most ? errand.purpose : 'nothing';
      if ((list?.value.length ?? 0) >= MOST_OWED) throw new Overload('too many mails are owed', { retryAfter: 5 });
      const expiresAt = new Date(now + LIFE_SECONDS * 1_000).toISOString();
      try {
        await sidecar.transact(store, [
          { key: key(id), value: { ...errand, purpose, expiresAt } satisfies Errand, etag: undefined, ttlSeconds },
          { key: written, value: purpose === 'nothing' ? lately : [...lately, now], etag: before?.etag, ttlSeconds },
          { key: listOf(id), value: [...(list?.value ?? []), id], etag: list?.etag },
        ]);
        return id;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    }
    throw new Overload('too many registrations at once', { retryAfter: 2 });
  }

  /** The errand of a good token that was not used, for exactly this purpose. */
  async byToken(token: string, purpose: Purpose): Promise<{ id: string; stored: Stored<Errand> } | undefined> {
    const [, id, proof] = /^([0-9a-f-]{36})\.([\w-]{43})$/.exec(token) ?? [];
    if (id === undefined || proof === undefined) return undefined;
    if (!timingSafeEqual(Buffer.from(await this.#proofOf(id)), Buffer.from(proof))) return undefined;
    const stored = await this.#read(id);
    if (!stored || stored.value.purpose !== purpose || stored.value.used) return undefined;
    return Date.parse(stored.value.expiresAt) > this.#parts.clock().getTime() ? { id, stored } : undefined;
  }

  /** Uses the token together with what it is good for. False: someone else was first, or the writes do not fit any more. */
  async use({ id, stored }: { id: string; stored: Stored<Errand> }, writes: readonly Write[]): Promise<boolean> {
    let seen: Stored<Errand> | undefined = stored;
    for (let tries = 0; tries < TRIES && seen && !seen.value.used; tries++) {
      const { applicant: _, ...rest } = seen.value;
      try {
        const used = { key: key(id), value: { ...rest, used: true }, etag: seen.etag, ttlSeconds };
        await this.#parts.sidecar.transact(this.#parts.store, [...writes, used]);
        return true;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        seen = await this.#read(id); // perhaps only its mail was noted as sent
      }
    }
    return false;
  }

  /** Ids of mails that are owed, by any replica. */
  async owed(): Promise<string[]> {
    const { sidecar, store } = this.#parts;
    const lists = await Promise.all(Array.from({ length: LISTS }, (_, n) => sidecar.get<string[]>(store, `owed:${n}`)));
    return lists.flatMap((list) => list?.value ?? []).slice(0, 100);
  }

  /** The mail to be sent, claimed for a while; undefined: none is owed (any more); `busy`: another replica is at it. */
  async claim(id: string, by: string, forMs: number): Promise<(Errand & { token: string }) | 'busy' | undefined> {
    const now = this.#parts.clock().getTime();
    const stored = await this.#read(id);
    if (!stored || stored.value.sent || stored.value.used || stored.value.purpose === 'nothing') return undefined;
    if (Date.parse(stored.value.expiresAt) <= now) return undefined;
    const { claim } = stored.value;
    if (claim && claim.by !== by && claim.until > now) return 'busy';
    if (!(await this.#save(id, { ...stored.value, claim: { by, until: now + forMs } }, stored.etag))) return 'busy';
    return { ...stored.value, token: `${id}.${await this.#proofOf(id)}` };
  }

  /** Notes that the mail went out, or never will. @throws {Conflict} others write: to be repeated */
  async settle(id: string): Promise<void> {
    const { sidecar, store } = this.#parts;
    const stored = await this.#read(id);
    if (stored && !stored.value.sent && !(await this.#save(id, { ...stored.value, sent: true }, stored.etag))) {
      throw new Conflict(`errand ${id} is being changed by others`);
    }
    const list = await sidecar.get<string[]>(store, listOf(id));
    if (!list?.value.includes(id)) return;
    const rest = list.value.filter((other) => other !== id);
    await sidecar.save(store, listOf(id), rest, { etag: list.etag });
  }

  #read(id: string): Promise<Stored<Errand> | undefined> {
    return this.#parts.sidecar.get<Errand>(this.#parts.store, key(id));
  }

  async #save(id: string, errand: Errand, etag: string): Promise<boolean> {
    try {
      await this.#parts.sidecar.save(this.#parts.store, key(id), errand, { etag }, { ttlSeconds: LIFE_SECONDS });
      return true;
    } catch (error) {
      if (error instanceof Conflict) return false;
      throw error;
    }
  }

  async #proofOf(id: string): Promise<string> {
    const secret = Buffer.from(hkdfSync('sha256', await this.#parts.secret(), 'retail-erp', 'auth-mail-tokens', 32));
    return createHmac('sha256', secret).update(id).digest('base64url');
  }
}

function key(id: string): string {
  return `errand:${id}`;
}

function listOf(id: string): string {
  return `owed:${bucketOf(id, LISTS)}`;
}
