// The way of a public request: its row in the table, its caller, its limits, its body, and on to the service.
import type Koa from 'koa';
import type { Reply } from '#kit/dapr/sidecar';
import { isRefusal, refuse } from '#kit/errors';
import type { Verifier } from '#kit/http/auth';
import { readBytes } from '#kit/http/body';
import { MAX_WAIT, waitOf } from '#kit/http/call';
import { stateOf } from '#kit/http/request';
import { sendProblem } from '#kit/http/respond';
import type { Forwarder, Outgoing } from './forward.ts';
import { toClient, toService } from './headers.ts';
import { type Limiter, limitHeaders, type Taken } from './limits.ts';
import { maxBodyOf, type PublicRoute, routeOf } from './routes.ts';
import type { Throttle } from './throttle.ts';

export interface EdgeParts {
  readonly verifier: Verifier;
  readonly limiter: Limiter;
  readonly forwarder: Forwarder;
  /** By app-id; for the commands of throttled routes. */
  readonly throttles: ReadonlyMap<string, Throttle>;
}

/** Seconds after which a client that was turned away should try again. */
const RETRY_AFTER = '2';

/** Forwards what the table knows; everything else goes on to 404. */
export function edge(parts: EdgeParts): Koa.Middleware {
  return async (ctx, next) => {
    const route = routeOf(ctx.path);
    if (!route) return next();
    stateOf(ctx).route = `${route.prefix}/*`;
    if (ctx.method === 'OPTIONS' || (route.methods && !route.methods.includes(ctx.method))) {
      const allow = (route.methods ?? ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).join(', ');
      return sendProblem(ctx, refuse('METHOD_NOT_ALLOWED'), { allow });
    }
    // A bad token is refused here, at once; none at all is the service's to judge.
    const caller = route.noToken ? undefined : await parts.verifier.identify(ctx);
    const address = ctx.req.socket.remoteAddress ?? 'unknown';
    const who = isRefusal(caller) || !caller ? `address ${address}` : caller.id;
    const taken = [parts.limiter.take('caller', who)];
    if (!pass(ctx, taken)) return;
    if (isRefusal(caller)) return sendProblem(ctx, caller);
    const throttle = route.throttled && ctx.method === 'POST' ? parts.throttles.get(route.appId) : undefined;
    const command = `${who} ${ctx.get('idempotency-key')}`;
    if (throttle && !throttle.admits(command)) {
      return sendProblem(ctx, refuse('OVERLOADED'), { 'retry-after': RETRY_AFTER });
    }
    const body = await readBytes(ctx.req, maxBodyOf(ctx.method, ctx.path));
    if (isRefusal(body)) return sendProblem(ctx, body);
    const further = takeFurther(`${ctx.method} ${ctx.path}`, parts.limiter, { who, address, body });
    if (further.length > 0 && !pass(ctx, [...taken, ...further])) return;
    const reply = await forward(ctx, route, body, parts.forwarder).catch((error) => {
      throttle?.heard(command, false); // it may have been taken: its repeat is let in
      throw error;
    });
    throttle?.heard(command, isOverload(reply));
    answer(ctx, reply);
  };
}

/** True if the service itself says that it has too much to do. */
function isOverload({ status, body }: Reply): boolean {
  return status === 503 && (JSON.parse(body.toString('utf8')) as { code?: unknown }).code === 'OVERLOADED';
}

/** Shows the limits, and refuses when one is used up. */
function pass(ctx: Koa.Context, taken: readonly Taken[]): boolean {
  const headers = limitHeaders(taken);
  ctx.set(headers);
  if (taken.every(({ granted }) => granted)) return true;
  sendProblem(ctx, refuse('TOO_MANY_REQUESTS'), headers);
  return false;
}

/** The limits of a command that strangers could use to guess a password, or to have mails sent. */
function takeFurther(
  command: string,
  limiter: Limiter,
  { who, address, body }: { readonly who: string; readonly address: string; readonly body: Buffer },
): Taken[] {
  switch (command) {
    case 'POST /api/v1/auth/login':
      return takeLogin(limiter, address, body);
    case 'POST /api/v1/auth/register':
    case 'POST /api/v1/auth/password/forgot':
      return [limiter.take('mail-address', address)];
    case 'PUT /api/v1/auth/password': // with a stolen token
      return [limiter.take('login', `own password of ${who}`)];
    default:
      return [];
  }
}

/** Login limits: the pair is only charged when the address may still try, so that a flood locks nobody out elsewhere. */
function takeLogin(limiter: Limiter, address: string, body: Buffer): Taken[] {
  const byAddress = limiter.take('login-address', address);
  if (!byAddress.granted) return [byAddress];
  return [byAddress, limiter.take('login', `${address} ${accountIn(body)}`)];
}

/** The account that a login names, in the form that auth compares; what cannot be read counts as one account. */
function accountIn(body: Buffer): string {
  try {
    const { email } = JSON.parse(body.toString('utf8')) as { email?: unknown };
    return typeof email === 'string' ? email.normalize('NFKC').trim().toLowerCase().slice(0, 254) : '';
  } catch {
    return '';
  }
}

async function forward(ctx: Koa.Context, route: PublicRoute, body: Buffer, forwarder: Forwarder): Promise<Reply> {
  const state = stateOf(ctx);
  const outgoing: Outgoing = {
    appId: route.appId,
    // Koa drops the body of an answer to HEAD; inside, both are one.
    method: ctx.method === 'HEAD' ? 'GET' : ctx.method,
    url: route.to ?? ctx.url,
    headers: toService(ctx.headers, state, route.headers),
    body: ctx.method === 'GET' || ctx.method === 'HEAD' ? undefined : body,
  };
  const keyed = ctx.method === 'POST' && ctx.headers['idempotency-key'] !== undefined;
  const patience = { keyed, signal: state.signal };
  const preferred = waitOf(ctx.get('prefer'));
  if (preferred !== undefined) {
    const ask = (wait: number) => ({ ...outgoing, headers: { ...outgoing.headers, prefer: `wait=${wait}` } });
    const follow = (reply: Reply) => (outgoing.method === 'GET' ? ask : created(reply, outgoing));
    return forwarder.sendAndWait(preferred, ask, follow, patience);
  }
  const asked = outgoing.method === 'GET' ? waitInQuery(outgoing.url) : undefined;
  if (asked !== undefined) {
    const ask = (wait: number) => ({ ...outgoing, url: withWait(outgoing.url, wait) });
    return forwarder.sendAndWait(asked, ask, () => ask, patience);
  }
  return forwarder.send(outgoing, patience);
}

/** How to read what a command has just made, if its `Location` is one of our own paths. */
function created(reply: Reply, { headers }: Outgoing): ((wait: number) => Outgoing) | undefined {
  const location = reply.headers.location;
  const appId = typeof location === 'string' ? routeOf(location)?.appId : undefined;
  if (reply.status !== 201 || typeof location !== 'string' || appId === undefined) return undefined;
  const { 'idempotency-key': _key, 'content-type': _type, prefer: _prefer, ...rest } = headers;
  return (wait) => ({ appId, method: 'GET', url: `${location}?wait=${wait}`, headers: rest, body: undefined });
}

/** Seconds. A wait that is no number, or given twice, goes on unchanged: the service says what is wrong with it. */
function waitInQuery(url: string): number | undefined {
  const waits = queryOf(url).getAll('wait');
  const [seconds = ''] = waits;
  return waits.length === 1 && /^\d{1,9}(?:\.\d{1,9})?$/.test(seconds)
    ? Math.min(Number(seconds), MAX_WAIT)
    : undefined;
}

function withWait(url: string, wait: number): string {
  const query = queryOf(url);
  query.set('wait', String(wait));
  return `${url.split('?', 1)[0]}?${query}`;
}

function queryOf(url: string): URLSearchParams {
  return new URLSearchParams(url.split('?').slice(1).join('?'));
}

function answer(ctx: Koa.Context, reply: Reply): void {
  ctx.status = reply.status;
  // What a token opens is for its bearer; a cache may keep it only to ask again.
  ctx.set({ 'cache-control': reply.status < 400 ? 'private, no-cache' : 'no-store', ...toClient(reply.headers) });
  if (reply.body.length > 0) ctx.body = reply.body;
  else if (reply.status !== 204 && reply.status !== 304) ctx.body = '';
  const type = reply.headers['content-type'];
  if (typeof type === 'string') ctx.set('content-type', type);
}
