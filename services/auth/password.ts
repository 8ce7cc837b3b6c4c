// Passwords as argon2id in PHC text, with node:crypto: no native package (OWASP: 19 MiB, 2 passes, 1 lane).
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { Overload } from '#kit/errors';

const MEMORY_KIB = 19_456;
const PASSES = 2;
const TAG_BYTES = 32;
const PREFIX = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$`;

const derive = promisify(argon2) as (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer>;

/** Hashes run on libuv's pool of four: more at once would only make file reads and name look-ups wait behind them. */
const SEATS = 2 * availableParallelism();
const QUEUE = 50;

/** Lets `seats` tasks run and `queue` wait; more is a Fault (503). */
export class Gate {
  readonly #seats: number;
  readonly #queue: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(seats: number, queue: number) {
    this.#seats = seats;
    this.#queue = queue;
  }

  /** Runs the task when it is its turn. @throws {Fault} the queue is full */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#seats) {
      if (this.#waiting.length >= this.#queue)
        throw new Overload('too many password checks at once', { retryAfter: 2 });
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await task();
    } finally {
      // The seat goes to the next in line, or is given back.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

const gate = new Gate(SEATS, QUEUE);

/** The PHC text of a password: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`. @throws {Fault} overload */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const tag = await gate.run(() => derive('argon2id', parametersOf(password, nonce, MEMORY_KIB, PASSES, TAG_BYTES)));
  return `${PREFIX}${encode(nonce)}$${encode(tag)}`;
}

const phc = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=1\$([\w+/]+)\$([\w+/]+)$/;

/** Tells whether the password is the one that was hashed, with the parameters in the text. @throws {Fault} overload */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [, memory, passes, salt, tag] = phc.exec(hash) ?? [];
  if (!memory || !passes || !salt || !tag) throw new Error('a stored password hash is not argon2id PHC text');
  const wanted = Buffer.from(tag, 'base64');
  const parameters = parametersOf(password, Buffer.from(salt, 'base64'), Number(memory), Number(passes), wanted.length);
  return timingSafeEqual(await gate.run(() => derive('argon2id', parameters)), wanted);
}

/** True when the hash was made with other parameters than those of today: the next login makes it anew. */
export function isOutdated(hash: string): boolean {
  return !hash.startsWith(PREFIX);
}

/**
 * Takes as long as {@link isPassword} and is never right: what is done for an address without an account, so that
 * time does not tell which addresses have one.
 */
export async function isNobodysPassword(password: string): Promise<false> {
  await isPassword(password, NOBODY);
  return false;
}

const NOBODY = `${PREFIX}${encode(randomBytes(16))}$${encode(randomBytes(TAG_BYTES))}`;

function parametersOf(password: string, nonce: Buffer, memory: number, passes: number, tagLength: number) {
  // NFKC, so that the same characters typed on another keyboard are the same bytes (RFC 8265).
  const message = Buffer.from(password.normalize('NFKC'), 'utf8');
  return { message, nonce, parallelism: 1, tagLength, memory, passes };
}

/** Base64 without padding, as PHC wants it. */
function encode(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
