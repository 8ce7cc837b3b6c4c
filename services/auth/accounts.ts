// People and machines that can sign in: one document per account, one per address that leads to it, one per client.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Sidecar, Write } from '#kit/dapr/sidecar';
import { Conflict } from '#kit/errors';
import { idOf, keyPart } from '#kit/ids';
import { hashPassword, isNobodysPassword, isOutdated, isPassword } from './password.ts';

export interface Account {
  /** A uuid that follows from the address, so that two who create it at once create the same. */
  readonly id: string;
  readonly email: string;
  readonly name: string;
  /** What it began with; grants that were changed since count alone (`rights.ts`). */
  readonly roles: readonly string[];
  readonly shops: readonly string[];
  /** argon2id, PHC text. */
  readonly password: string;
  /** Set when the password was replaced: sessions that began before are over, but for the one that replaced it. */
  readonly sessionsFrom?: { readonly at: number; readonly but?: string | undefined };
}

/** A registration that waits for its address to be proven. */
export interface Applicant {
  readonly email: string;
  readonly name: string;
  readonly password: string;
}

export interface Client {
  readonly id: string;
  readonly name: string;
  /** What it began with; grants that were changed since count alone (`rights.ts`). */
  readonly roles: readonly string[];
  readonly shops: readonly string[];
  /** SHA-256: enough for a secret that a machine made at random. */
  readonly secretHash: string;
}

/** True if the session is over because the password was replaced after it began. */
export function isOutlived(
  { sessionsFrom }: Account,
  session: { readonly id: string; readonly startedAt: number },
): boolean {
  return sessionsFrom !== undefined && session.startedAt < sessionsFrom.at && session.id !== sessionsFrom.but;
}

/** The form of an address that tells accounts apart: composed characters, no spaces around, small letters. */
export function normalEmail(email: string): string {
  return email.normalize('NFKC').trim().toLowerCase();
}

/** Accounts and clients in the state store. Every method throws Fault when it is out of reach. */
export class Accounts {
  readonly #sidecar: Sidecar;
  readonly #store: string;

  constructor(sidecar: Sidecar, store: string) {
    this.#sidecar = sidecar;
    this.#store = store;
  }

  async byId(id: string): Promise<Account | undefined> {
    return (await this.#sidecar.get<Account>(this.#store, accountKey(id)))?.value;
  }

  /** The account, if address and password belong together. Takes the same time when there is none. */
  async signIn(email: string, password: string): Promise<Account | undefined> {
    const link = await this.#sidecar.get<{ accountId: string }>(this.#store, emailKey(email));
    const key = accountKey(link?.value.accountId ?? 'nobody');
    const stored = await this.#sidecar.get<Account>(this.#store, key);
    if (!stored) return (await isNobodysPassword(password)) || undefined;
    if (!(await isPassword(password, stored.value.password))) return undefined;
    if (isOutdated(stored.value.password)) {
      await this.#put(key, { ...stored.value, password: await hashPassword(password) }, stored);
    }
    return stored.value;
  }

  /** The id of the account with that address. */
  async idByEmail(email: string): Promise<string | undefined> {
    return (await this.#sidecar.get<{ accountId: string }>(this.#store, emailKey(email)))?.value.accountId;
  }

  /** What makes an account of an applicant, for a transaction that fails if the address has one. */
  opening({ email, name, password }: Applicant): Write[] {
    const id = idOf('account', normalEmail(email));
    const account: Account = { id, email: normalEmail(email), name, roles: ['customer'], shops: [], password };
    return [
      { key: accountKey(id), value: account, etag: undefined },
      { key: emailKey(email), value: { accountId: id }, etag: undefined },
    ];
  }

  /** What replaces a password and ends the sessions, but for `but`. Undefined: there is no such account. */
  async replacing(id: string, hash: string, at: Date, but?: string): Promise<Write | undefined> {
    const stored = await this.#sidecar.get<Account>(this.#store, accountKey(id));
    if (!stored) return undefined;
    const sessionsFrom = { at: at.getTime(), ...(but !== undefined && { but }) };
    return { key: accountKey(id), value: { ...stored.value, password: hash, sessionsFrom }, etag: stored.etag };
  }

  /** Replaces a password and ends the sessions, but for `but`. @throws {Conflict} the account was changed meanwhile */
  async replace(id: string, hash: string, at: Date, but?: string): Promise<void> {
    const write = await this.replacing(id, hash, at, but);
    if (write?.etag !== undefined) await this.#sidecar.save(this.#store, write.key, write.value, { etag: write.etag });
  }

  async clientById(id: string): Promise<Client | undefined> {
    return (await this.#sidecar.get<Client>(this.#store, clientKey(id)))?.value;
  }

  /** The client, if the secret is its own. */
  async clientBySecret(id: string, secret: string): Promise<Client | undefined> {
    const client = await this.clientById(id);
    const given = Buffer.from(secretHash(secret));
    const wanted = Buffer.from(client?.secretHash ?? secretHash(''));
    return timingSafeEqual(given, wanted) ? client : undefined;
  }

  /** Makes the account what is asked for, whatever it was; done again it changes nothing. */
  async ensure(
    wanted: Omit<Account, 'id' | 'password' | 'email'> & { email: string; password: string },
  ): Promise<void> {
    const email = normalEmail(wanted.email);
    const id = idOf('account', email);
    const stored = await this.#sidecar.get<Account>(this.#store, accountKey(id));
    const kept =
      stored && (await isPassword(wanted.password, stored.value.password)) ? stored.value.password : undefined;
    const { name, roles, shops } = wanted;
    const password = kept ?? (await hashPassword(wanted.password));
    const account: Account = { ...stored?.value, id, email, name, roles, shops, password };
    await this.#put(accountKey(id), account, stored);
    await this.#put(emailKey(email), { accountId: id }, await this.#sidecar.get(this.#store, emailKey(email)));
  }

  /** Makes the client what is asked for; done again it changes nothing. */
  async ensureClient({ secret, ...rest }: Omit<Client, 'secretHash'> & { secret: string }): Promise<void> {
    const stored = await this.#sidecar.get<Client>(this.#store, clientKey(rest.id));
    await this.#put(clientKey(rest.id), { ...rest, secretHash: secretHash(secret) }, stored);
  }

  async #put(key: string, value: object, stored: { value: unknown; etag: string } | undefined): Promise<void> {
    if (stored && isDeepStrictEqual(stored.value, value)) return; // not by text: a store may order the keys anew
    try {
      await this.#sidecar.save(this.#store, key, value, stored ? { etag: stored.etag } : 'new');
    } catch (error) {
      // Another replica ensures the same at the same time: what it wrote is what we want.
      if (!(error instanceof Conflict)) throw error;
    }
  }
}

function accountKey(id: string): string {
  return `account:${keyPart(id)}`;
}

function emailKey(email: string): string {
  return `email:${keyPart(normalEmail(email))}`;
}

function clientKey(id: string): string {
  return `client:${keyPart(id)}`;
}

function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
