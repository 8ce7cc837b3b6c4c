// The only door to the sidecar: state, publish, invocation, bindings and secrets over plain HTTP (undici).
// What daprd 1.18.3 really answers is shown by tests/conformance/.
import { type Dispatcher, Pool } from 'undici';
import { Conflict, Fault } from '../errors.ts';
import { Exchange } from './exchange.ts';
import { sealed } from './sealed-path.ts';

/** A stored value with the ETag that guards its next save. */
export interface Stored<T = unknown> {
  readonly value: T;
  readonly etag: string;
}

/** One write of a transaction. `etag: undefined` means "must not exist yet" (first write); `ttlSeconds`: the store drops it then. */
export interface Write {
  readonly key: string;
  readonly value: unknown;
  readonly etag: string | undefined;
  readonly ttlSeconds?: number;
}

/** Drops a document in a transaction, whatever its version; absent is fine. No store minds an ETag on a removal in a transaction. */
export interface Removal {
  readonly key: string;
  readonly remove: true;
}

/** One message of a bulk publish: a complete CloudEvent and the key that chooses its partition. */
export interface Publication {
  readonly event: unknown;
  readonly partitionKey: string;
}

/** The answer of an invoked service, whatever its status. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface InvokeOptions {
  readonly body?: unknown;
  /** Bytes sent as they are (webhooks); wins over `body`. */
  readonly raw?: Buffer | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds until the call is given up as a Fault; 5,000 unless told. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SidecarOptions {
  /** Port of daprd's HTTP API on 127.0.0.1. */
  readonly port: number;
  /** Sent as `dapr-api-token`. */
  readonly token?: string | undefined;
  /** Connections kept open; one request each at a time. */
  readonly connections?: number;
  /** Milliseconds until a state or publish call is given up as a Fault. */
  readonly timeout?: number;
}

/** Milliseconds until this call is given up as a Fault; the client's own unless told. */
export type Patience = { readonly timeout?: number };

/** Client of the service's own sidecar. Every method throws {@link Fault} when sidecar, store or broker cannot do it now. */
export class Sidecar {
  readonly #pool: Pool;
  readonly #headers: Record<string, string>;
  readonly #timeout: number;

  constructor(options: SidecarOptions) {
    this.#pool = new Pool(`http://127.0.0.1:${options.port}`, {
      connections: options.connections ?? 64,
      pipelining: 1,
      keepAliveTimeout: 30_000,
      maxHeaderSize: 131_072, // the PostgreSQL binding repeats the statement in a header
    });
    this.#headers = options.token ? { 'dapr-api-token': options.token } : {};
    this.#timeout = options.timeout ?? 5_000;
  }

  /** Reads one document, always strongly (DynamoDB reads are eventual otherwise). Absent: undefined. */
  async get<T = unknown>(store: string, key: string, options: Patience = {}): Promise<Stored<T> | undefined> {
    const reply = await this.#call('GET', `/v1.0/state/${enc(store)}/${enc(key)}?consistency=strong`, options);
    if (reply.status === 204 || reply.status === 404) return undefined;
    if (reply.status !== 200) throw fault('read', store, reply);
    const etag = reply.headers.etag;
    if (typeof etag !== 'string') throw new Fault(`store ${store} answered ${key} without an ETag`);
    return { value: parse(reply.body) as T, etag: unquote(etag) };
  }

  /**
   * Reads many documents in one call. Only a hint: stores may answer stale values here, so a decision that
   * writes nothing and the re-read after a conflict use {@link get}. Absent keys are left out of the map.
   */
  async getBulk<T = unknown>(store: string, keys: readonly string[]): Promise<Map<string, Stored<T>>> {
    const found = new Map<string, Stored<T>>();
    if (keys.length === 0) return found;
    const body = { keys, parallelism: 10, metadata: { consistency: 'strong' } };
    const reply = await this.#call('POST', `/v1.0/state/${enc(store)}/bulk`, { body });
    if (reply.status === 204) return found;
    if (reply.status !== 200) throw fault('bulk read', store, reply);
    for (const item of parse(reply.body) as { key: string; data?: T; etag?: string; error?: string }[]) {
      if (item.error) throw new Fault(`store ${store} cannot read ${item.key}: ${item.error}`);
      if (item.data !== undefined && item.data !== null && item.etag) {
        found.set(item.key, { value: item.data, etag: item.etag });
      }
    }
    return found;
  }

  /**
   * Saves one document. `guard`: an ETag, `'new'` (must not exist) or `'any'` (last write wins).
   * @throws {Conflict} another version is stored. DynamoDB and PostgreSQL answer 500 to a refused first write, which
   * cannot be told from a fault: such a Fault has to be followed by a read.
   */
  async save(
    store: string,
    key: string,
    value: unknown,
    guard: { etag: string } | 'new' | 'any',
    { ttlSeconds, timeout }: { ttlSeconds?: number } & Patience = {},
  ): Promise<void> {
    const item: Record<string, unknown> = { key, value };
    if (guard !== 'any') item.options = { concurrency: 'first-write' };
    if (typeof guard === 'object') item.etag = guard.etag;
    if (ttlSeconds !== undefined) item.metadata = { ttlInSeconds: String(ttlSeconds) };
    const reply = await this.#call('POST', `/v1.0/state/${enc(store)}`, { body: [item], timeout });
    if (reply.status === 409) throw new Conflict(`${store}/${key} has another version`);
    if (reply.status >= 300) throw fault('save', store, reply);
  }

  /**
   * Saves documents that have nothing to do with each other, last write wins, in one call. Not atomic: after a
   * {@link Fault} any of them may be saved, so the caller repeats them all.
   */
  async saveEach(
    store: string,
    documents: readonly { readonly key: string; readonly value: unknown }[],
    { ttlSeconds }: { ttlSeconds?: number } = {},
  ): Promise<void> {
    const metadata = ttlSeconds === undefined ? {} : { metadata: { ttlInSeconds: String(ttlSeconds) } };
    const body = documents.map(({ key, value }) => ({ key, value, ...metadata }));
    const reply = await this.#call('POST', `/v1.0/state/${enc(store)}`, { body });
    if (reply.status >= 300) throw fault('save', store, reply);
  }

  /** Deletes one document; absent is fine. With an ETag only that version. @throws {Conflict} */
  async delete(store: string, key: string, etag?: string): Promise<void> {
    const headers = etag === undefined ? {} : { 'if-match': etag };
    const path = `/v1.0/state/${enc(store)}/${enc(key)}${etag === undefined ? '' : '?concurrency=first-write'}`;
    const reply = await this.#call('DELETE', path, { headers });
    if (reply.status === 409) throw new Conflict(`${store}/${key} has another version`);
    if (reply.status >= 300) throw fault('delete', store, reply);
  }

  /**
   * Writes all documents or none, each guarded by its ETag or by "must not exist".
   * At most 100 writes, none twice, together below 4 MiB (daprd's body limit); with `mostBytes` nothing longer is sent.
   * They go in the order of their keys: two transactions that PostgreSQL meets in opposite orders are a deadlock, which
   * it notices after a second. Answers the bytes that were sent.
   * @throws {Conflict} too long, or the store refused: a guard failed *or* the store is in trouble. daprd answers 500 to
   * both, so the caller has to read every document again, strongly, before it tries again.
   */
  async transact(store: string, writes: readonly (Write | Removal)[], mostBytes?: number): Promise<number> {
    const inOrder = writes.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const operations = inOrder.map((write) => ('remove' in write ? removal(write) : upsert(write)));
    const raw = Buffer.from(JSON.stringify({ operations }));
    if (mostBytes !== undefined && raw.length > mostBytes) throw new Conflict(`${raw.length} bytes are too many`);
    const headers = { 'content-type': 'application/json' };
    const reply = await this.#call('POST', `/v1.0/state/${enc(store)}/transaction`, { raw, headers });
    if (reply.status === 500) throw new Conflict(`transaction on ${store} refused: ${text(reply)}`);
    if (reply.status >= 300) throw fault('transaction', store, reply);
    return raw.length;
  }

  /** Publishes complete CloudEvents in order, in one call. Answers the indexes of those the broker did not take. */
  async publish(pubsub: string, topic: string, publications: readonly Publication[]): Promise<number[]> {
    if (publications.length === 0) return [];
    const body = publications.map(({ event, partitionKey }, index) => ({
      entryId: String(index),
      event,
      contentType: 'application/cloudevents+json',
      metadata: { partitionKey },
    }));
    const reply = await this.#call('POST', `/v1.0/publish/bulk/${enc(pubsub)}/${enc(topic)}`, { body });
    if (reply.status < 300) return [];
    const failed = (tryParse(reply.body) as { failedEntries?: { entryId: string }[] } | undefined)?.failedEntries;
    if (!failed?.length) throw fault('publish', topic, reply);
    return failed.map((entry) => Number(entry.entryId)).sort((a, b) => a - b);
  }

  /** Publishes bytes that need not be a CloudEvent, as they are (dead letters). */
  async publishRaw(pubsub: string, topic: string, value: unknown, partitionKey: string): Promise<void> {
    const path = `/v1.0/publish/${enc(pubsub)}/${enc(topic)}?metadata.rawPayload=true&metadata.partitionKey=${enc(partitionKey)}`;
    const reply = await this.#call('POST', path, { body: value });
    if (reply.status >= 300) throw fault('publish', topic, reply);
  }

  /**
   * Calls another service through both sidecars. Any status that the other app chose comes back as a Reply;
   * a call that never got an answer (unknown app, time-out, open breaker: 5xx with an `errorCode` of Dapr) is a Fault.
   * The path arrives as it is given here, encoded characters and dot segments included.
   */
  async invoke(appId: string, method: string, path: string, options: InvokeOptions = {}): Promise<Reply> {
    const headers: Record<string, string> = { ...options.headers, 'dapr-app-id': appId };
    const reply = await this.#call(method, sealed(path), { ...options, headers });
    if (reply.status >= 500) {
      const code = (tryParse(reply.body) as { errorCode?: string } | undefined)?.errorCode;
      if (code?.startsWith('ERR_')) throw new Fault(`${appId} gave no answer: ${text(reply)}`);
    }
    return reply;
  }

  /**
   * Runs an operation of an output binding and answers the body and Dapr's `metadata.*` headers. `timeout` in
   * milliseconds, the client's own unless told.
   */
  async bind(
    name: string,
    operation: string,
    metadata: Record<string, string>,
    data: unknown = '',
    options: Patience = {},
  ): Promise<Reply> {
    const body = { operation, metadata, data };
    const reply = await this.#call('POST', `/v1.0/bindings/${enc(name)}`, { body, timeout: options.timeout });
    if (reply.status >= 300) throw fault(operation, name, reply);
    return reply;
  }

  /** Reads one secret. @throws {Fault} if the store has none of that name. */
  async secret(store: string, name: string): Promise<string> {
    const reply = await this.#call('GET', `/v1.0/secrets/${enc(store)}/${enc(name)}`);
    const value = reply.status === 200 ? (parse(reply.body) as Record<string, string>)[name] : undefined;
    if (value === undefined) throw new Fault(`secret ${name} is not in ${store}`);
    return value;
  }

  /** True once the sidecar's components are ready (`/v1.0/healthz/outbound`). */
  async ready(): Promise<boolean> {
    try {
      return (await this.#call('GET', '/v1.0/healthz/outbound', { timeout: 1_000 })).status === 204;
    } catch {
      return false;
    }
  }

  /** Closes the connections after the calls under way. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #call(method: string, path: string, options: InvokeOptions = {}): Promise<Reply> {
    const headers: Record<string, string> = { ...options.headers, ...this.#headers };
    let body: string | Buffer | undefined = options.raw;
    if (body === undefined && options.body !== undefined) {
      headers['content-type'] ??= 'application/json';
      body = JSON.stringify(options.body);
    }
    const { signal } = options;
    if (signal?.aborted) throw signal.reason;
    const exchange = new Exchange();
    const abort = () => exchange.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const late = setTimeout(() => exchange.abort(new Error('no answer in time')), options.timeout ?? this.#timeout);
    try {
      this.#pool.dispatch({ method: method as Dispatcher.HttpMethod, path, headers, body: body ?? null }, exchange);
      return await exchange.reply;
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw new Fault(`sidecar call ${method} ${path.split('?')[0]} failed: ${(cause as Error).message}`, { cause });
    } finally {
      clearTimeout(late);
      signal?.removeEventListener('abort', abort);
    }
  }
}

const enc = encodeURIComponent;

function upsert({ key, value, etag, ttlSeconds: ttlInSeconds }: Write): unknown {
  const metadata = { contentType: 'application/json', ...(ttlInSeconds && { ttlInSeconds: `${ttlInSeconds}` }) };
  const guard = etag === undefined ? {} : { etag };
  return { operation: 'upsert', request: { key, value, ...guard, options: { concurrency: 'first-write' }, metadata } };
}

function removal({ key }: Removal): unknown {
  return { operation: 'delete', request: { key } };
}

function unquote(etag: string): string {
  return etag.startsWith('"') ? etag.slice(1, -1) : etag;
}

function parse(body: Buffer): unknown {
  return JSON.parse(body.toString('utf8'));
}

function tryParse(body: Buffer): unknown {
  try {
    return parse(body);
  } catch {
    return undefined;
  }
}

/** Status and body; of a long body the beginning and the end, where PostgreSQL has its code. */
function text({ status, body }: Reply): string {
  const whole = body.toString('utf8');
  return `${status} ${whole.length > 400 ? `${whole.slice(0, 300)}…${whole.slice(-100)}` : whole}`;
}

function fault(what: string, where: string, reply: Reply): Fault {
  return new Fault(`${what} on ${where} failed: ${text(reply)}`);
}
