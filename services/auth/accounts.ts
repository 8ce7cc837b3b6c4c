// People and machines that can sign in: one document per account, one per address that leads to it, one per client.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Sidecar } from '#kit/dapr/sidecar';
import { Conflict } from '#kit/errors';
import { idOf, keyPart } from '#kit/ids';
import { hashPassword, isNobodysPassword, isPassword } from './password.ts';

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
    const account = await this.byId(link?.value.accountId ?? 'nobody');
    if (!account) return (await isNobodysPassword(password)) || undefined;
    return (await isPassword(password, account.password)) ? account : undefined;
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
    const account: Account = { id, email, name, roles, shops, password: kept ?? (await hashPassword(wanted.password)) };
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
