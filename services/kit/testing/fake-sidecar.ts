// daprd's HTTP API in memory, as a real server, so that the Sidecar client runs unchanged in api tests.
// Statuses and shapes as measured on daprd 1.18.3 with state.sqlite (conformance tests hold the real one to the same);
// what not every store takes is refused, see portable.ts.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { posix } from 'node:path';
import { Sidecar } from '../dapr/sidecar.ts';
import { textInAnotherOrder, unportable } from './portable.ts';

/** A message that was published, in the order in which the broker took it. */
export interface Published {
  readonly pubsub: string;
  readonly topic: string;
  readonly event: unknown;
  readonly partitionKey: string | undefined;
}

/** What a test may answer instead of the fake: a status with a body, or nothing at all (the connection breaks). */
export type Intercepted = { readonly status: number; readonly body?: unknown } | 'break' | undefined;

export interface FakeSidecar {
  readonly port: number;
  /** A client of this sidecar; closed with it. */
  readonly client: Sidecar;
  /** Secrets by name, of every secret store. */
  readonly secrets: Map<string, string>;
  readonly published: Published[];
  /** Apps that can be invoked: `app.callback()` of a Koa app, or any request listener. */
  readonly apps: Map<string, RequestListener>;
  /** Output bindings by name. */
  readonly bindings: Map<string, (operation: string, metadata: Record<string, string>, data: unknown) => unknown>;
  /** Method and path of every call, oldest first. */
  readonly calls: string[];
  /** Sees every call first; what it answers stands. Set it to make the store, the broker or a service fail. */
  intercept: ((method: string, path: string, body: string) => Intercepted | Promise<Intercepted>) | undefined;
  /** The stored value, or undefined. */
  peek(store: string, key: string): unknown;
  /** Keys of a store. */
  keys(store: string): string[];
  /** Writes behind the service's back. */
  put(store: string, key: string, value: unknown): void;
  close(): Promise<void>;
}

interface Item {
  readonly json: string;
  readonly etag: string;
  readonly expiresAt: number;
}

interface SaveRequest {
  readonly key: string;
  readonly value?: unknown;
  readonly etag?: string;
  readonly options?: { readonly concurrency?: string };
  readonly metadata?: { readonly ttlInSeconds?: string };
}

type Store = Map<string, Item>;

interface Operation {
  readonly operation: 'upsert' | 'delete';
  readonly request: SaveRequest;
}

interface BulkEntry {
  readonly event: unknown;
  readonly metadata?: { readonly partitionKey?: string };
}

interface BindingRequest {
  readonly operation: string;
  readonly metadata: Record<string, string>;
  readonly data: unknown;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  /** JSON that is sent as it is. */
  readonly text?: string;
  readonly etag?: string;
}

/** daprd refuses bodies above 4 MiB. */
const MAX_BODY = 4 * 1024 * 1024;

/** Starts a fake sidecar on a free port. */
export async function startFakeSidecar(secrets: Readonly<Record<string, string>> = {}): Promise<FakeSidecar> {
  const stores = new Map<string, Store>();
  const store = (name: string) => {
    const known = stores.get(name) ?? new Map<string, Item>();
    stores.set(name, known);
    return known;
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const method = request.method ?? 'GET';
    const appId = request.headers['dapr-app-id'];
    fake.calls.push(`${method} ${url.pathname}`);
    // The body of an invocation belongs to the app, which gets the request itself.
    const body = typeof appId === 'string' ? '' : await textOf(request);
    const intercepted = await fake.intercept?.(method, url.pathname, body);
    if (intercepted === 'break') request.socket.destroy();
    else if (intercepted) send(response, { body: undefined, ...intercepted });
    else if (typeof appId !== 'string') send(response, route(method, url, body, request.headers['if-match']));
    else if (fake.apps.has(appId)) invoke(appId, request, response);
    else send(response, refusal(500, 'ERR_DIRECT_INVOKE', `failed to invoke, id: ${appId}, err: no such service`));
  }

  function route(method: string, url: URL, body: string, ifMatch: string | undefined): Reply {
    if (body.length > MAX_BODY) return refusal(400, 'ERR_MALFORMED_REQUEST', 'request body too large');
    const [, version, kind, name = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const [last = ''] = rest;
    const json = () => JSON.parse(body) as never;
    if (version !== 'v1.0') return refusal(404, 'ERR_NOT_FOUND', 'not found');
    switch (kind) {
      case 'healthz':
        return { status: 204 };
      case 'metadata':
        return { status: 200, body: { id: 'fake', components: [] } };
      case 'secrets':
        return readSecret(last);
      case 'publish':
        if (name === 'bulk') return publishBulk(last, rest[1] ?? '', json());
        return publish(name, last, json(), url.searchParams.get('metadata.partitionKey') ?? undefined);
      case 'bindings':
        return bind(name, json());
      case 'state':
        return state(store(name), method, last, json, ifMatch);
      default:
        return refusal(404, 'ERR_NOT_FOUND', 'not found');
    }
  }

  /** Hands the call to the app under the path that daprd makes of it: decoded once, cleaned, encoded where it must be. */
  function invoke(appId: string, request: IncomingMessage, response: ServerResponse): void {
    const [, path = '', query = ''] = /^([^?]*)(.*)$/.exec(request.url ?? '') ?? [];
    const decoded = posix.normalize(decodeURIComponent(path));
    if (/[?#]|%(?![0-9a-f]{2})/i.test(decoded)) {
      send(response, refusal(500, 'ERR_DIRECT_INVOKE', `invalid method: ${decoded}`));
      return;
    }
    request.url = decoded.replace(/[^\x21-\x7e]/gu, encodeURIComponent) + query;
    fake.apps.get(appId)?.(request, response);
  }

  function readSecret(name: string): Reply {
    const value = fake.secrets.get(name);
    if (value === undefined) return refusal(500, 'ERR_SECRET_GET', `secret ${name} not found`);
    return { status: 200, body: { [name]: value } };
  }

  function publish(pubsub: string, topic: string, event: unknown, partitionKey: string | undefined): Reply {
    fake.published.push({ pubsub, topic, event, partitionKey });
    return { status: 204 };
  }

  function publishBulk(pubsub: string, topic: string, entries: BulkEntry[]): Reply {
    for (const { event, metadata } of entries) publish(pubsub, topic, event, metadata?.partitionKey);
    return { status: 204 };
  }

  function bind(name: string, request: BindingRequest): Reply {
    const binding = fake.bindings.get(name);
    if (!binding) return refusal(400, 'ERR_INVOKE_OUTPUT_BINDING', `couldn't find output binding ${name}`);
    return { status: 200, body: binding(request.operation, request.metadata, request.data) };
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error) => send(response, refusal(500, 'ERR_FAKE', String(error))));
  });
  const fake: FakeSidecar = {
    port: 0,
    client: undefined as never,
    secrets: new Map(Object.entries(secrets)),
    published: [],
    apps: new Map(),
    bindings: new Map(),
    calls: [],
    intercept: undefined,
    peek: (name, key) => {
      const item = live(store(name), key);
      return item === undefined ? undefined : JSON.parse(item.json);
    },
    keys: (name) => [...store(name).keys()].filter((key) => live(store(name), key)),
    put: (name, key, value) => write(store(name), { key, value }),
    async close() {
      await fake.client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(fake, { port, client: new Sidecar({ port }) });
}

let etags = 0;

function state(store: Store, method: string, key: string, json: () => never, ifMatch: string | undefined): Reply {
  if (method === 'POST' && key === 'bulk') return readBulk(store, json());
  if (method === 'POST' && key === 'transaction') return transact(store, json());
  if (method === 'POST') return save(store, json());
  if (method === 'DELETE') return remove(store, key, ifMatch);
  const item = live(store, key);
  return item ? { status: 200, text: item.json, etag: item.etag } : { status: 204 };
}

function live(store: Store, key: string): Item | undefined {
  const item = store.get(key);
  if (item && item.expiresAt > Date.now()) return item;
  store.delete(key);
  return undefined;
}

/** True when the guard of a write holds: an ETag is always enforced, without one only `first-write` looks. */
function holds(store: Store, { key, etag, options }: SaveRequest): boolean {
  const stored = live(store, key);
  if (etag !== undefined) return stored !== undefined && stored.etag === etag;
  return options?.concurrency !== 'first-write' || stored === undefined;
}

function write(store: Store, { key, value, metadata }: SaveRequest): void {
  const seconds = Number(metadata?.ttlInSeconds ?? Number.POSITIVE_INFINITY);
  etags++;
  store.set(key, { json: textInAnotherOrder(value), etag: `etag-${etags}`, expiresAt: Date.now() + seconds * 1000 });
}

/** A bulk save is not atomic: what may be written is written, and one refusal makes the whole call 409. */
function save(store: Store, requests: SaveRequest[]): Reply {
  const why = unportable(requests);
  if (why) return refusal(400, 'ERR_NOT_PORTABLE', why);
  let conflict: SaveRequest | undefined;
  for (const request of requests) {
    if (holds(store, request)) write(store, request);
    else conflict ??= request;
  }
  if (!conflict) return { status: 204 };
  return refusal(409, 'ERR_STATE_SAVE', `possible etag mismatch for key ${conflict.key}`);
}

function remove(store: Store, key: string, etag: string | undefined): Reply {
  if (etag !== undefined && live(store, key)?.etag !== etag) {
    return refusal(409, 'ERR_STATE_DELETE', 'possible etag mismatch');
  }
  store.delete(key);
  return { status: 204 };
}

function readBulk(store: Store, { keys }: { keys: string[] }): Reply {
  const found = keys.map((key) => {
    const item = live(store, key);
    return item ? { key, data: JSON.parse(item.json), etag: item.etag } : { key };
  });
  return { status: 200, body: found };
}

/** All or nothing; daprd answers 500 to a guard that does not hold, as to any trouble of the store. */
function transact(store: Store, { operations }: { operations: Operation[] }): Reply {
  const why = unportable(operations.map(({ request }) => request));
  if (why) return refusal(400, 'ERR_NOT_PORTABLE', why);
  if (!operations.every(({ request }) => holds(store, request))) {
    return refusal(500, 'ERR_STATE_TRANSACTION', 'error while executing state transaction: possible etag mismatch');
  }
  for (const { operation, request } of operations) {
    if (operation === 'delete') store.delete(request.key);
    else write(store, request);
  }
  return { status: 204 };
}

function refusal(status: number, errorCode: string, message: string): Reply {
  return { status, body: { errorCode, message } };
}

function send(response: ServerResponse, { status, body, text, etag }: Reply): void {
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
  response.writeHead(status, {
    ...(content === undefined ? {} : { 'content-type': 'application/json' }),
    ...(etag === undefined ? {} : { etag }),
  });
  response.end(content);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
