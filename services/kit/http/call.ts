// One request on its way to the handler: access, headers, parameters, body, in this order; the first that fails answers.
import type Koa from 'koa';
import { isRefusal, type Refusal, refuse } from '../errors.ts';
import { hashOf } from '../ids.ts';
import type { Call, Route } from './api.ts';
import type { Verifier } from './auth.ts';
import { DEFAULT_MAX_BODY, isJson, isStorable, parseJson, readBytes } from './body.ts';
import type { Caller } from './caller.ts';
import { commandId } from './idempotency.ts';
import { stateOf } from './request.ts';
import { check, readParams, readQuery, wrongField } from './validation.ts';

/** The longest wait that a client may ask for, in seconds. */
export const MAX_WAIT = 30;

/** Builds the call of a handler, or the refusal that the client gets instead. @throws {Fault} no signing keys yet */
export async function readCall(ctx: Koa.Context, route: Route, verifier: Verifier): Promise<Call | Refusal> {
  const { spec } = route;
  const caller = spec.ownAuthorization ? undefined : await verifier.identify(ctx);
  if (isRefusal(caller)) return caller;
  const denied = deny(route, caller);
  if (denied) return denied;

  const headers = readHeaders(ctx, route);
  if (isRefusal(headers)) return headers;

  const given = ctx.params as Record<string, string>;
  // What could not be decoded, or no store can hold, names nothing.
  if (!Object.values(given).every((text) => text !== '' && isStorable(text))) return refuse('NOT_FOUND');
  const params = spec.params ? readParams(spec.params, given) : { value: given };
  if (isRefusal(params)) return params;
  const query = spec.query ? readQuery(spec.query, ctx.search) : noQuery(ctx);
  if (isRefusal(query)) return query;
  const body = await readBody(ctx, route);
  if (isRefusal(body)) return body;

  const state = stateOf(ctx);
  const key = spec.keyed ? headers.key : undefined;
  const actor = caller?.id ?? (route.internal ? serviceOf(ctx) : undefined) ?? 'anonymous';
  // The schemas checked each part; the route builder has typed the handler by the same schemas.
  const call: { readonly [K in keyof Call]: unknown } = {
    params: params.value,
    query: query.value,
    body: body.value,
    raw: body.raw,
    caller,
    key,
    commandId: key && commandId(`${route.method} ${route.path}`, actor, key),
    payloadHash: key && hashOf([params.value, body.value ?? null]),
    ifMatch: headers.ifMatch,
    ifNoneMatch: headers.ifNoneMatch,
    minVersion: headers.minVersion,
    wait: headers.wait,
    origin: {
      actor,
      correlationId: state.requestId,
      traceparent: state.traceparent,
      requestId: state.requestId,
    },
    header: (name: string) => ctx.get(name) || undefined,
    url: ctx.url,
    signal: state.signal,
    get log() {
      return state.log;
    },
  };
  return call as unknown as Call;
}

/**
 * The service behind an internal call, as `app:<app-id>`: for what is written down and for the scope of its keys, never
 * for rights. daprd adds its word to what the caller said, so two words tell nothing.
 */
function serviceOf(ctx: Koa.Context): string | undefined {
  const appId = ctx.get('dapr-caller-app-id');
  return /^[a-z0-9-]{1,64}$/.test(appId) ? `app:${appId}` : undefined;
}

function deny({ spec: { access = 'anyone' } }: Route, caller: Caller | undefined): Refusal | undefined {
  if (access === 'anyone') return undefined;
  if (!caller) return refuse('UNAUTHENTICATED');
  if (access === 'caller') return undefined;
  const wanted = typeof access.can === 'string' ? [access.can] : access.can;
  const scope = access.everywhere ? ['*'] : [];
  return wanted.some((permission) => caller.may(permission, ...scope)) ? undefined : refuse('FORBIDDEN');
}

interface CallHeaders {
  readonly key: string | undefined;
  readonly ifMatch: number | undefined;
  readonly ifNoneMatch: number | undefined;
  readonly minVersion: { id: string; version: number } | undefined;
  readonly wait: number | undefined;
}

/** Headers of which two would leave open which one counts. */
const single = ['authorization', 'idempotency-key', 'if-match', 'content-type', 'x-min-version'];

function readHeaders(ctx: Koa.Context, { spec }: Route): CallHeaders | Refusal {
  for (const name of single) {
    if ((ctx.req.headersDistinct[name]?.length ?? 0) > 1) return wrongField(name, 'Given more than once', 'header');
  }
  const key = ctx.headers['idempotency-key'] as string | undefined;
  if (spec.keyed && (key === undefined || key.length === 0 || key.length > 255))
    return refuse('IDEMPOTENCY_KEY_MISSING');

  const ifMatch = ctx.headers['if-match'];
  if (spec.guarded && ifMatch === undefined) return refuse('PRECONDITION_REQUIRED');
  // `*` and lists are legal HTTP, but a write here names the one version that it was made from.
  if (ifMatch !== undefined && (ifMatch.trim() === '*' || ifMatch.includes(','))) {
    return wrongField('if-match', 'One version, as the ETag gave it', 'header');
  }
  const held = ifMatch === undefined ? undefined : versionOf(ifMatch.trim());
  // A weak or foreign tag cannot match by strong comparison (RFC 9110 section 13.1.1).
  if (ifMatch !== undefined && held === undefined) return refuse('PRECONDITION_FAILED');

  const minVersion = minVersionOf(ctx.get('x-min-version'));
  if (minVersion === null) return wrongField('x-min-version', 'Must be <id>@<version>', 'header');
  return {
    key,
    ifMatch: held,
    ifNoneMatch: versionOf(ctx.get('if-none-match').replace(/^W\//, '')),
    minVersion,
    wait: waitOf(ctx.get('prefer')),
  };
}

/** The version in an ETag of ours, `"7"`. */
function versionOf(etag: string): number | undefined {
  const digits = /^"(0|[1-9]\d{0,15})"$/.exec(etag)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** `<id>@<version>`. What a header cannot hold of an id comes percent-encoded, as in a path; others may come as they are. */
function minVersionOf(text: string): { id: string; version: number } | undefined | null {
  if (text === '') return undefined;
  const [, id, version] = /^(.{1,255})@(\d{1,15})$/.exec(text) ?? [];
  if (id === undefined || version === undefined) return null;
  const named = decoded(id);
  return isStorable(named) ? { id: named, version: Number(version) } : null;
}

/** An id that no header can hold comes percent-encoded; one that only looks so is what it is. */
function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** Seconds of `Prefer: wait=n` (RFC 7240 section 4.3). A preference that cannot be read is ignored, as the RFC wants. */
export function waitOf(prefer: string): number | undefined {
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(prefer)?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds), MAX_WAIT);
}

function noQuery(ctx: Koa.Context): { value: Record<string, never> } | Refusal {
  if (ctx.search === '' || ctx.search === '?') return { value: {} };
  const name = ctx.querystring.split(/[=&]/, 1)[0] ?? '';
  return wrongField(name, 'Unknown parameter', 'query');
}

async function readBody(ctx: Koa.Context, { spec }: Route): Promise<{ value?: unknown; raw?: Buffer } | Refusal> {
  const bytes = await readBytes(ctx.req, spec.maxBody ?? DEFAULT_MAX_BODY);
  if (isRefusal(bytes)) return bytes;
  const type = ctx.headers['content-type'];
  const encoding = ctx.headers['content-encoding'];
  if (bytes.length > 0 && encoding !== undefined && encoding !== 'identity') return refuse('UNSUPPORTED_MEDIA_TYPE');
  if (spec.raw) return { raw: bytes };
  if (!spec.takes) {
    return bytes.length === 0 ? {} : refuse('VALIDATION_FAILED', { text: 'This route takes no body' });
  }
  if (bytes.length === 0) return check(spec.takes, undefined, 'body');
  if (!isJson(type)) return refuse('UNSUPPORTED_MEDIA_TYPE', { text: 'The body must be application/json in UTF-8' });
  const parsed = parseJson(bytes);
  return isRefusal(parsed) ? parsed : check(spec.takes, parsed.value, 'body');
}
