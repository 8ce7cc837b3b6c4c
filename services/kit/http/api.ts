// The route builder: one declaration is the check of the request, the type of the handler and the OpenAPI document.
import type { z } from 'zod';
import type { Refusal } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './caller.ts';
import type { Permission } from './permissions.ts';
import type { Code } from './problem.ts';
import { assertStrict } from './validation.ts';

export { Answer, accepted, created, noContent, ok } from './answer.ts';
export type { Caller } from './caller.ts';

/**
 * Who may call: anyone, any caller with a good token, or one that holds the permission (one of them): in some scope, of
 * which the handler sees whether it is the right one, or in the whole organisation.
 */
export type Access =
  | 'anyone'
  | 'caller'
  | { readonly can: Permission | readonly Permission[]; readonly everywhere?: boolean };

/** A route. Request schemas must be strict: an unknown field is refused. */
export interface Spec {
  /** One line for the document. */
  readonly summary: string;
  readonly description?: string;
  /** Internal routes may leave it out: there it is `anyone`. */
  readonly access?: Access;
  /** Path parameters; without it they are plain text. */
  readonly params?: z.ZodObject;
  /** Query parameters: numbers and booleans are read as such, arrays are repeated names. */
  readonly query?: z.ZodObject;
  /** The JSON body. An empty body is `undefined`, so an optional schema makes the body optional. */
  readonly takes?: z.ZodType;
  /** Status -> schema of the body, null for none. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Codes of `problem.ts` that the handler may refuse with (those of the builder itself are documented anyway). */
  readonly refusals?: readonly Code[];
  /** Requires an Idempotency-Key of 1 to 255 characters. */
  readonly keyed?: boolean;
  /** Requires If-Match with the version of the record. */
  readonly guarded?: boolean;
  /** Bytes; 256 KiB unless told. */
  readonly maxBody?: number;
  /** The body is handed over as bytes, of whatever content type. */
  readonly raw?: boolean;
  /** The handler reads the `Authorization` header itself: no access token is looked for (OAuth client authentication). */
  readonly ownAuthorization?: boolean;
}

/** Who caused what, for events and logs. */
export interface Origin {
  /** The caller's id, `app:<app-id>` of the service that calls an internal route, or `anonymous`. */
  readonly actor: string;
  readonly correlationId: string;
  readonly traceparent: string;
  readonly requestId: string;
}

type ParamNames<P extends string> = P extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamNames<Rest>
  : P extends `${string}:${infer Name}`
    ? Name
    : never;

type Output<S, K extends string, Else> = S extends { readonly [_ in K]: infer T extends z.ZodType }
  ? z.output<T>
  : Else;
type If<S, K extends string, Then, Else> = S extends { readonly [_ in K]: true } ? Then : Else;

/** What a handler is given. */
export interface Call<P extends string = string, S = Spec> {
  readonly params: Output<S, 'params', { readonly [_ in ParamNames<P>]: string }>;
  readonly query: Output<S, 'query', Readonly<Record<never, never>>>;
  readonly body: Output<S, 'takes', undefined>;
  /** The bytes of a `raw` route. */
  readonly raw: If<S, 'raw', Buffer, undefined>;
  readonly caller: S extends { readonly access: 'caller' | { readonly can: unknown } } ? Caller : Caller | undefined;
  /** The client's Idempotency-Key. Required on keyed routes. */
  readonly key: If<S, 'keyed', string, undefined>;
  /** The id of this command: the same for every repeat (route, caller, key). */
  readonly commandId: If<S, 'keyed', string, undefined>;
  /** SHA-256 over path parameters and body, to tell a repeat from a reuse of the key. */
  readonly payloadHash: If<S, 'keyed', string, undefined>;
  /** The version that the client holds (If-Match). */
  readonly ifMatch: If<S, 'guarded', number, number | undefined>;
  /** The version that the client holds (If-None-Match); 304 is answered by itself. */
  readonly ifNoneMatch: number | undefined;
  /** The write that a list should already show (`X-Min-Version: <id>@<version>`). */
  readonly minVersion: { readonly id: string; readonly version: number } | undefined;
  /** Seconds that the client is ready to wait (`Prefer: wait=n`), at most 30. */
  readonly wait: number | undefined;
  readonly origin: Origin;
  /** A request header as it came, for the few routes that need one (webhook signatures). */
  header(name: string): string | undefined;
  /** Path and query as the client sent them. */
  readonly url: string;
  /** Aborts when the client goes away: for waits only, never for work that has begun. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** The bodies that a route may answer with. */
type Bodies<S> = S extends { readonly answers: infer A }
  ? { [K in keyof A]: A[K] extends z.ZodType ? DeepReadonly<z.output<A[K]>> : null }[keyof A]
  : unknown;

type Result<S> = Answer<Bodies<S>> | Refusal;

/** Does the work of a route. A returned refusal becomes a problem document; a thrown Fault becomes 503. */
export type Handler<P extends string, S> = (call: Call<P, S>) => Result<S> | Promise<Result<S>>;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A route as the app and the document see it. */
export interface Route {
  readonly method: Method;
  /** Full template, such as `/api/v1/orders/:id`. */
  readonly path: string;
  readonly spec: Spec;
  readonly internal: boolean;
  readonly tag: string;
  readonly handler: (call: Call) => unknown;
}

type PublicSpec = Spec & { readonly access: Access };

/** Collects routes under one path. */
export class Api<Base extends Spec = PublicSpec> {
  readonly routes: Route[] = [];
  readonly #base: string;
  readonly #tag: string;
  readonly #internal: boolean;

  constructor(base: string, tag: string, internal: boolean) {
    this.#base = base;
    this.#tag = tag;
    this.#internal = internal;
  }

  get<const P extends string, const S extends Base>(path: P, spec: S, handler: Handler<P, S>): this {
    return this.#add('GET', path, spec, handler);
  }
  post<const P extends string, const S extends Base>(path: P, spec: S, handler: Handler<P, S>): this {
    return this.#add('POST', path, spec, handler);
  }
  put<const P extends string, const S extends Base>(path: P, spec: S, handler: Handler<P, S>): this {
    return this.#add('PUT', path, spec, handler);
  }
  patch<const P extends string, const S extends Base>(path: P, spec: S, handler: Handler<P, S>): this {
    return this.#add('PATCH', path, spec, handler);
  }
  delete<const P extends string, const S extends Base>(path: P, spec: S, handler: Handler<P, S>): this {
    return this.#add('DELETE', path, spec, handler);
  }

  #add<P extends string, S extends Base>(method: Method, path: P, spec: S, handler: Handler<P, S>): this {
    const full = `${this.#base}${path}`;
    const where = `${method} ${full}`;
    if (spec.takes) assertStrict(spec.takes, `${where} takes`);
    if (spec.query) assertStrict(spec.query, `${where} query`);
    if (spec.params) assertStrict(spec.params, `${where} params`);
    this.routes.push({
      method,
      path: full,
      spec,
      internal: this.#internal,
      tag: this.#tag,
      handler: handler as unknown as Route['handler'],
    });
    return this;
  }
}

/** Public routes under `/api/v1`, or under the root for the few that stand there (`root: true`). */
export function api(base: string, options: { readonly tag: string; readonly root?: boolean }): Api {
  return new Api(options.root ? base : `/api/v1${base}`, options.tag, false);
}

/** Routes under `/internal`: for other services through their sidecars, not in the document, no token needed. */
export function internal(base: string): Api<Spec> {
  return new Api(`/internal${base}`, 'internal', true);
}
