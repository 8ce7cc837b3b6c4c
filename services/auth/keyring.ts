// The signing keys: RS256 pairs in one guarded document, so that all replicas sign and publish the same ones.
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPair,
  hkdfSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  randomUUID,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { Sidecar } from '#kit/dapr/sidecar';
import { Conflict } from '#kit/errors';
import type { Clock } from '#kit/time';

/** `next` is published before it signs, `retired` after: whoever checks tokens always knows the key. */
export type KeyStage = 'next' | 'current' | 'retired';

export interface StoredKey {
  readonly kid: string;
  readonly stage: KeyStage;
  readonly publicJwk: JsonWebKey;
  /** PKCS #8, sealed by the key-encryption secret: the store's file can be read by who can read files. */
  readonly sealed: string;
  readonly createdAt: string;
  readonly retiredAt?: string;
}

export interface KeyDocument {
  readonly keys: readonly StoredKey[];
}

export const KEYS = 'signing-keys';

const generate = promisify(generateKeyPair);

/** A fresh pair in the given stage. */
export async function newKey(stage: KeyStage, secret: string, at: Date): Promise<StoredKey> {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  return {
    kid,
    stage,
    publicJwk: publicKey.export({ format: 'jwk' }),
    sealed: seal(privateKey.export({ format: 'der', type: 'pkcs8' }), secret, kid),
    createdAt: at.toISOString(),
  };
}

/**
 * One step of a rotation. `announced` becomes the next key; the next before it, published meanwhile, signs from now on;
 * the one that signed is retired; retired ones go once every token of theirs has expired (`keepFor` milliseconds).
 * Two steps must be further apart than a JWKS is cached.
 */
export function rotated(document: KeyDocument, announced: StoredKey, at: Date, keepFor: number): KeyDocument {
  const promoted = document.keys.find(({ stage }) => stage === 'next')?.kid;
  const keys = document.keys.flatMap((key): StoredKey[] => {
    if (key.stage === 'retired') return at.getTime() - Date.parse(key.retiredAt ?? '') < keepFor ? [key] : [];
    if (key.kid === promoted) return [{ ...key, stage: 'current' }];
    // Without a next one the current key goes on signing: nobody knows the new one yet.
    return [promoted === undefined ? key : { ...key, stage: 'retired', retiredAt: at.toISOString() }];
  });
  return { keys: [...keys, { ...announced, stage: 'next' }] };
}

export interface KeyringOptions {
  readonly sidecar: Sidecar;
  readonly store: string;
  /** The key-encryption secret. */
  readonly secret: () => Promise<string>;
  readonly clock: Clock;
  /** Milliseconds after which the document is read again, to see a rotation made elsewhere. */
  readonly maxAge?: number;
}

/** The signing keys of this replica, read through the sidecar. Every method throws Fault when the store is out of reach. */
export class SigningKeys {
  readonly #options: Required<KeyringOptions>;
  #cached:
    | { readonly document: KeyDocument; readonly signer: { kid: string; key: KeyObject }; readonly at: number }
    | undefined;

  constructor(options: KeyringOptions) {
    this.#options = { maxAge: 30_000, ...options };
  }

  /** The key that signs now. The first call ever makes it; of two replicas that both do, the first write decides. */
  async signer(): Promise<{ readonly kid: string; readonly key: KeyObject }> {
    return (await this.#read()).signer;
  }

  /** All keys that tokens may be checked with (RFC 7517). */
  async jwks(): Promise<{ readonly keys: readonly JsonWebKey[] }> {
    const { document } = await this.#read();
    return { keys: document.keys.map(({ kid, publicJwk }) => ({ ...publicJwk, kid, alg: 'RS256', use: 'sig' })) };
  }

  /** Makes one step of a rotation, see {@link rotated}. @throws {Conflict} another replica did at the same time */
  async rotate(keepFor: number): Promise<void> {
    const { sidecar, store, secret, clock } = this.#options;
    const announced = await newKey('next', await secret(), clock());
    const stored = await sidecar.get<KeyDocument>(store, KEYS);
    if (!stored) throw new Conflict('there are no signing keys to rotate yet');
    await sidecar.save(store, KEYS, rotated(stored.value, announced, clock(), keepFor), { etag: stored.etag });
    this.#cached = undefined;
  }

  async #read() {
    const { sidecar, store, secret, clock, maxAge } = this.#options;
    const now = clock().getTime();
    if (this.#cached && now - this.#cached.at < maxAge) return this.#cached;
    const stored = (await sidecar.get<KeyDocument>(store, KEYS)) ?? (await this.#create());
    const document = stored.value;
    const current = document.keys.find(({ stage }) => stage === 'current');
    if (!current) throw new Error('no signing key is current');
    const key = createPrivateKey({
      key: unseal(current.sealed, await secret(), current.kid),
      format: 'der',
      type: 'pkcs8',
    });
    this.#cached = { document, signer: { kid: current.kid, key }, at: now };
    return this.#cached;
  }

  async #create() {
    const { sidecar, store, secret, clock } = this.#options;
    const document: KeyDocument = { keys: [await newKey('current', await secret(), clock())] };
    try {
      await sidecar.save(store, KEYS, document, 'new');
    } catch (error) {
      // Another replica was first, or (on stores that answer 500) may have been: what is stored counts.
      const stored = await sidecar.get<KeyDocument>(store, KEYS);
      if (stored) return stored;
      throw error;
    }
    return { value: document };
  }
}

/** AES-256-GCM; the kid is bound to it, so that sealed keys cannot be swapped. Text: version, nonce, tag, data. */
function seal(plain: Buffer, secret: string, kid: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', wrappingKey(secret), nonce).setAAD(Buffer.from(kid));
  const data = Buffer.concat([cipher.update(plain), cipher.final()]);
  return ['v1', nonce, cipher.getAuthTag(), data]
    .map((part) => (typeof part === 'string' ? part : part.toString('base64url')))
    .join('.');
}

function unseal(sealed: string, secret: string, kid: string): Buffer {
  const [version, ...parts] = sealed.split('.');
  const [nonce, tag, data] = parts.map((part) => Buffer.from(part, 'base64url'));
  if (version !== 'v1' || !nonce || !tag || !data) throw new Error('a signing key is sealed in an unknown way');
  const decipher = createDecipheriv('aes-256-gcm', wrappingKey(secret), nonce).setAAD(Buffer.from(kid)).setAuthTag(tag);
  return Buffer.concat([decipher.update(data), decipher.final()]);
}

function wrappingKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'retail-erp', 'auth-key-encryption', 32));
}
