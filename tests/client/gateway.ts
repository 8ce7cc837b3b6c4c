// A thin client of the public surface: one connection pool, one identity, and the patience that the contract asks of a client.
import { setTimeout as pause } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { type Identity, nobody } from './identity.ts';
import { NoAnswer, ProblemError } from './problem.ts';

export interface GatewayOptions {
  /** Where the gateway listens, e.g. `http://127.0.0.1:8000`. */
  readonly baseUrl: string;
  readonly identity?: Identity;
  /** Connections kept open; 32 unless told. */
  readonly connections?: number;
  /** Milliseconds during which `call` repeats after 429, 503 and lost connections; 30,000 unless told. */
  readonly patience?: number;
  /** Told about every try and how it ended: what a client can say afterwards. */
  readonly observe?: (attempt: Attempt) => void;
}

/** One request as its sender saw it. */
export interface Attempt {
  readonly method: string;
  readonly path: string;
  readonly key: string | undefined;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  readonly endedAt: number;
  /** Why there was none, in words. */
  readonly status: number | string;
}

export interface Call {
  readonly body?: unknown;
  /** Sent as it is; wins over `body`. */
  readonly raw?: string | Buffer;
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** `Idempotency-Key`. Always the caller's: a client that makes one up per try would buy twice. */
  readonly key?: string;
  /** Milliseconds until one try is given up; 35,000 unless told (the longest `wait` is 30 s). */
  readonly timeout?: number;
  /** May be sent again without a key although it is a POST or PUT (a login, an upsert). */
  readonly repeatable?: boolean;
}

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed when the answer is JSON, else its text. */
  readonly body: T;
}

/** The gateway as one caller sees it. */
export class Gateway {
  readonly baseUrl: string;
  readonly #pool: Pool;
  readonly #identity: Identity;
  readonly #patience: number;
  readonly #observe: GatewayOptions['observe'];

  constructor(options: GatewayOptions, pool?: Pool) {
    this.baseUrl = options.baseUrl.replace(/\/$/, '');
    this.#pool =
      pool ?? new Pool(this.baseUrl, { connections: options.connections ?? 32, headersTimeout: 0, bodyTimeout: 0 });
    this.#identity = options.identity ?? nobody;
    this.#patience = options.patience ?? 30_000;
    this.#observe = options.observe;
  }

  /** The same gateway over the same connections as somebody else. */
  as(identity: Identity): Gateway {
    const observe = this.#observe && { observe: this.#observe };
    return new Gateway({ baseUrl: this.baseUrl, identity, patience: this.#patience, ...observe }, this.#pool);
  }

  /** One try, whatever the status. @throws {NoAnswer} */
  async send<T = unknown>(method: string, path: string, call: Call = {}): Promise<Answer<T>> {
    return this.#once<T>(method, path, call, await this.#identity.token(this));
  }

  /**
   * Sends until there is an answer that is not "again later": 429 always, 503 and a lost connection when the request can
   * be repeated (a GET, a keyed write, or `repeatable`), with the same key and body, honouring `Retry-After`.
   * A 401 renews the token once.
   * @throws {ProblemError} any other status of 400 or above, or patience ran out on 429 or 503
   * @throws {NoAnswer} patience ran out without an answer
   */
  async call<T = unknown>(method: string, path: string, call: Call = {}): Promise<Answer<T>> {
    const repeatable = method === 'GET' || method === 'HEAD' || call.key !== undefined || call.repeatable === true;
    const deadline = Date.now() + this.#patience;
    let renewed = false;
    for (let attempt = 0; ; attempt++) {
      const token = await this.#identity.token(this);
      try {
        const answer = await this.#once<T>(method, path, call, token);
        if (answer.status < 400) return answer;
        if (answer.status === 401 && token && !renewed) {
          renewed = true;
          this.#identity.forget(token);
          continue;
        }
        const again = answer.status === 429 || (answer.status === 503 && repeatable);
        const wait = Number(answer.headers['retry-after'] ?? 1) * 1000;
        if (!again || Date.now() + wait > deadline)
          throw new ProblemError(`${method} ${path}`, answer.status, answer.body);
        await pause(wait + Math.random() * 100);
      } catch (error) {
        if (!(error instanceof NoAnswer) || !repeatable || Date.now() > deadline) throw error;
        await pause(Math.min(100 * 2 ** attempt, 2_000));
      }
    }
  }

  /** Ends the connections; calls under way are cut. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #once<T>(method: string, path: string, call: Call, token: string | undefined): Promise<Answer<T>> {
    const headers: Record<string, string> = { accept: 'application/json', ...call.headers };
    if (token !== undefined) headers.authorization ??= `Bearer ${token}`;
    if (call.key !== undefined) headers['idempotency-key'] = call.key;
    let payload: string | Buffer | null = call.raw ?? null;
    if (payload === null && call.body !== undefined) {
      payload = JSON.stringify(call.body);
      headers['content-type'] ??= 'application/json';
    }
    const sentAt = Date.now();
    const ended = (status: number | string) =>
      this.#observe?.({ method, path, key: call.key, sentAt, endedAt: Date.now(), status });
    try {
      const answer = await this.#pool.request({
        method: method as Dispatcher.HttpMethod,
        path: path + queryOf(call.query),
        headers,
        body: payload,
        signal: AbortSignal.timeout(call.timeout ?? 35_000),
      });
      const text = await answer.body.text();
      ended(answer.statusCode);
      return {
        status: answer.statusCode,
        headers: flatten(answer.headers),
        body: parse(text, answer.headers['content-type']) as T,
      };
    } catch (cause) {
      ended((cause as Error).message);
      throw new NoAnswer(`${method} ${path} got no answer: ${(cause as Error).message}`, { cause });
    }
  }
}

function queryOf(query: Call['query']): string {
  if (!query) return '';
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

function flatten(headers: Dispatcher.ResponseData['headers']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

/** A JSON answer that does not parse was cut by a sidecar: that is no answer. */
function parse(text: string, type: string | string[] | undefined): unknown {
  if (text === '') return undefined;
  return /[/+]json/.test(String(type)) ? JSON.parse(text) : text;
}
