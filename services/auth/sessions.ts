// Refresh tokens: a family per login, of which one token at a time is good (RFC 9700 section 4.14.2).
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sidecar } from '#kit/dapr/sidecar';
import { Conflict, Overload } from '#kit/errors';
import { keyPart } from '#kit/ids';
import type { Clock } from '#kit/time';
import { type Account, isOutlived } from './accounts.ts';

interface Family {
  readonly accountId: string;
  /** SHA-256 of the one token that may be used next. */
  readonly current: string;
  readonly expiresAt: string;
  /** The token before, while its holder may not have got the answer; gone once it was taken a second time. */
  readonly former?: { readonly hash: string; readonly until: string };
  /** When the login was; families from before it was kept have none. */
  readonly startedAt?: string;
  /** Set when the family is over: logged out, or an old token came back. */
  readonly ended?: 'logout' | 'reuse';
}

/** A login lasts this long without a refresh. */
const LIFE_SECONDS = 14 * 24 * 3600;

/** So long the former token is good once more, for whoever never got the answer: milliseconds. */
const GRACE_MS = 3_000;

/** Logins of an account that are listed; older sessions go on unlisted, and end with a new password. */
const MOST_LISTED = 100;
const BEGIN_TRIES = 12;

/** A rotation is tried again so often when another replica was writing. */
const TRIES = 3;

export interface Session {
  readonly id: string;
  readonly accountId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** A login in the list of its account. */
interface Entry {
  readonly id: string;
  /** What the client said of itself (`User-Agent`). */
  readonly device: string;
  readonly startedAt: string;
}

export interface Listed extends Entry {
  /** The last login or refresh. */
  readonly usedAt: string;
}

/** What a refresh token is good for: the next one, nothing, or the end of the session that two hold. */
export interface Rotation {
  readonly session?: Session;
  readonly token?: string;
  readonly reused?: string;
}

/** Login sessions in the state store. Every method throws Fault when it is out of reach. */
export class Sessions {
  readonly #sidecar: Sidecar;
  readonly #store: string;
  readonly #clock: Clock;

  constructor(sidecar: Sidecar, store: string, clock: Clock) {
    this.#sidecar = sidecar;
    this.#store = store;
    this.#clock = clock;
  }

  /** Begins a family and gives its first token. `device`: what the client says of itself. */
  async begin(accountId: string, device = ''): Promise<{ session: Session; token: string }> {
    const id = randomUUID();
    const { token, hash } = newToken(id);
    const startedAt = this.#clock();
    const family = this.#family({ accountId, startedAt: startedAt.toISOString() }, hash);
    const entry = { id, device: device.slice(0, 200), startedAt: startedAt.toISOString() };
    for (let tries = 0; ; tries++) {
      const list = await this.#sidecar.get<Entry[]>(this.#store, listKey(accountId));
      const newest = [entry, ...(list?.value ?? [])].slice(0, MOST_LISTED);
      try {
        await this.#sidecar.transact(this.#store, [
          { key: key(id), value: family, etag: undefined, ttlSeconds: LIFE_SECONDS },
          { key: listKey(accountId), value: newest, etag: list?.etag },
        ]);
        break;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        if (tries >= BEGIN_TRIES) throw new Overload('too many logins of one account at once', { cause: error });
        await pause(Math.random() * 20 * (tries + 1));
      }
    }
    return { session: { id, accountId, startedAt: startedAt.getTime() }, token };
  }

  /**
   * Gives the next token for the current one, and once more for the former one within three seconds: its answer may have
   * been lost. Any other token of the family means that two hold it: the family ends, also for whoever was quicker.
   */
  async rotate(token: string): Promise<Rotation> {
    const id = familyOf(token);
    for (let tries = 0; id !== undefined && tries < TRIES; tries++) {
      const stored = await this.#sidecar.get<Family>(this.#store, key(id));
      if (!stored || stored.value.ended || Date.parse(stored.value.expiresAt) <= this.#clock().getTime()) return {};
      const next = newToken(id);
      const family = this.#successor(stored.value, hashOf(token), next.hash);
      try {
        await this.#sidecar.save(this.#store, key(id), family, { etag: stored.etag }, { ttlSeconds: LIFE_SECONDS });
        return family.ended ? { reused: id } : { session: sessionOf(id, stored.value), token: next.token };
      } catch (error) {
        // Someone else used the same token first: read again, and find that ours is an old one now.
        if (!(error instanceof Conflict)) throw error;
      }
    }
    return {};
  }

  /** The sessions of an account that go on, newest first: of the last hundred logins. */
  async list(account: Account): Promise<Listed[]> {
    const entries = (await this.#sidecar.get<Entry[]>(this.#store, listKey(account.id)))?.value ?? [];
    const now = this.#clock().getTime();
    const families = await Promise.all(entries.map(({ id }) => this.#sidecar.get<Family>(this.#store, key(id))));
    return entries.flatMap((entry, index) => {
      const family = families[index]?.value;
      if (!family || family.ended || Date.parse(family.expiresAt) <= now) return [];
      if (isOutlived(account, sessionOf(entry.id, family))) return [];
      const usedAt = new Date(Date.parse(family.expiresAt) - LIFE_SECONDS * 1_000).toISOString();
      return [{ ...entry, usedAt }];
    });
  }

  /**
   * Ends the family whose current token this is, and answers its id; any other token is no error and ends nothing
   * (RFC 7009 section 2.2).
   */
  async endByToken(token: string): Promise<string | undefined> {
    const id = familyOf(token);
    const stored = id === undefined ? undefined : await this.#sidecar.get<Family>(this.#store, key(id));
    // The family's name stands in access tokens too: it proves nothing.
    if (id === undefined || !stored || !same(hashOf(token), stored.value.current)) return undefined;
    await this.end(id);
    return id;
  }

  /** Ends a session. */
  async end(id: string): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const stored = await this.#sidecar.get<Family>(this.#store, key(id));
      if (!stored || stored.value.ended) return;
      try {
        const ended: Family = { ...stored.value, ended: 'logout' };
        await this.#sidecar.save(this.#store, key(id), ended, { etag: stored.etag }, { ttlSeconds: LIFE_SECONDS });
        return;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    }
    throw new Conflict(`session ${id} is being changed by others`);
  }

  #successor(family: Family, given: string, next: string): Family {
    const now = this.#clock().getTime();
    const { current, former } = family;
    if (same(given, current)) {
      return { ...this.#family(family, next), former: { hash: given, until: new Date(now + GRACE_MS).toISOString() } };
    }
    const repeated = former !== undefined && same(given, former.hash) && now <= Date.parse(former.until);
    return repeated ? this.#family(family, next) : { ...family, ended: 'reuse' };
  }

  #family({ accountId, startedAt }: Pick<Family, 'accountId' | 'startedAt'>, current: string): Family {
    const begun = startedAt === undefined ? {} : { startedAt };
    return {
      accountId,
      ...begun,
      current,
      expiresAt: new Date(this.#clock().getTime() + LIFE_SECONDS * 1_000).toISOString(),
    };
  }
}

function sessionOf(id: string, { accountId, startedAt }: Family): Session {
  return { id, accountId, startedAt: startedAt === undefined ? 0 : Date.parse(startedAt) };
}

/** A token names its family, so that one read finds it, and proves nothing but by its hash. */
function newToken(id: string): { token: string; hash: string } {
  const token = `${id}.${randomBytes(32).toString('base64url')}`;
  return { token, hash: hashOf(token) };
}

function familyOf(token: string): string | undefined {
  return /^([0-9a-f-]{36})\.[\w-]{43}$/.exec(token)?.[1];
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function same(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function listKey(accountId: string): string {
  return `sessions:${keyPart(accountId)}`;
}

function key(id: string): string {
  return `family:${id}`;
}
