// The Koa app of a service, built from its parts and not listening: request context, health, app token, routes.
import { createHash, timingSafeEqual } from 'node:crypto';
import Router from '@koa/router';
import Koa from 'koa';
import { Conflict, Fault, isRefusal, Overload, refuse } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Api, Route } from './api.ts';
import type { Verifier } from './auth.ts';
import { readCall } from './call.ts';
import { Metrics } from './metrics.ts';
import { documentOf } from './openapi.ts';
import { newState, stateOf } from './request.ts';
import { send, sendProblem, sendResult } from './respond.ts';
import { traceOf } from './trace.ts';

export interface AppParts {
  readonly name: string;
  readonly log: Log;
  /** Results of `api(...)` and `internal(...)`. */
  readonly routes: readonly Pick<Api, 'routes'>[];
  /** Runs before the routes, behind the app token (the Dapr subscriptions; the gateway's forwarding). */
  readonly middleware?: readonly Koa.Middleware[];
  readonly verifier: Verifier;
  /** Refuses whoever does not send it as `dapr-api-token`; undefined: the app is public. */
  readonly appToken?: string | undefined;
  /** The gateway: what only services tell each other is left out. */
  readonly outermost?: boolean;
  /** What the service needs, by name; all true makes `/readyz` 200. */
  readonly ready?: () => Promise<Readonly<Record<string, boolean>>>;
  readonly metrics?: Metrics;
  /** True once the service is leaving. */
  readonly draining?: () => boolean;
  /** Check answers against their schemas; on in tests. */
  readonly strictAnswers?: boolean;
}

/** Builds the app. Nothing listens and nothing is called before the first request. */
export function createApp(parts: AppParts): Koa {
  const app = new Koa();
  const metrics = parts.metrics ?? new Metrics();
  const routes = parts.routes.flatMap(({ routes }) => routes);
  // Whatever escapes the first middleware is a broken connection; Koa would print it.
  app.on('error', (error) => parts.log.debug({ err: error }, 'the answer could not be sent'));
  app.use(context(parts, metrics));
  app.use(health(parts, metrics));
  if (parts.appToken !== undefined) app.use(onlySidecar(parts.appToken));
  for (const middleware of parts.middleware ?? []) app.use(middleware);
  app.use(dispatch(parts, routes));
  return app;
}

/** Gives every request its trace, log and figures, and turns what is thrown into a problem document. */
function context({ log, draining, outermost = false }: AppParts, metrics: Metrics): Koa.Middleware {
  const count = metrics.counter('http_server_requests_total', 'Requests answered');
  const duration = metrics.histogram('http_server_request_duration_seconds', 'Time from request to answer');
  return async (ctx, next) => {
    const started = performance.now();
    const trace = traceOf(ctx.get('x-request-id') || undefined, ctx.get('traceparent') || undefined);
    const gone = new AbortController();
    ctx.res.once('close', () => {
      if (!ctx.res.writableFinished) gone.abort(new Error('the client went away'));
    });
    ctx.state = newState(trace, log, { outermost, signal: gone.signal });
    ctx.set('x-request-id', trace.requestId);
    ctx.set('traceparent', trace.traceparent);
    if (draining?.()) ctx.set('connection', 'close');
    try {
      await next();
    } catch (error) {
      fail(ctx, error);
    }
    const seconds = (performance.now() - started) / 1_000;
    const { route } = stateOf(ctx);
    const labels = { method: ctx.method, route, status: ctx.status };
    count(labels);
    duration({ method: ctx.method, route }, seconds);
    if (!log.isLevelEnabled('debug')) return;
    stateOf(ctx).log.debug({ ...labels, path: ctx.path, ms: Math.round(seconds * 1e5) / 100 }, 'request');
  };
}

/** Faults are 503, everything else that is thrown is our mistake; no inner text leaves the house. */
function fail(ctx: Koa.Context, error: unknown): void {
  const { log, signal, route } = stateOf(ctx);
  if (signal.aborted || (ctx.req.destroyed && !ctx.req.complete)) {
    log.debug({ route }, 'the client went away');
    ctx.status = 499;
    return;
  }
  if (error instanceof Fault || error instanceof Conflict) {
    // Expected when something is down, and then often: the words are enough, without a stack.
    log.warn({ route, reason: reasonOf(error) }, 'not possible now');
    const seconds = error instanceof Fault ? error.retryAfter : 1;
    const refusal = refuse(error instanceof Overload ? 'OVERLOADED' : 'UNAVAILABLE');
    sendProblem(ctx, refusal, { 'retry-after': String(Math.max(1, Math.ceil(seconds))) });
    return;
  }
  log.error({ err: error, route }, 'unexpected error');
  sendProblem(ctx, refuse('INTERNAL'));
}

/** A fault's own code, if it has one, and the words of its cause. */
function reasonOf(error: Error & { readonly code?: unknown }): string {
  const words = error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
  return typeof error.code === 'string' ? `${error.code}: ${words}` : words;
}

/** `/healthz` alive, `/readyz` able to serve, `/metrics` figures. */
function health({ ready, draining, log }: AppParts, metrics: Metrics): Koa.Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/healthz' && ctx.path !== '/readyz' && ctx.path !== '/metrics') return next();
    stateOf(ctx).route = ctx.path;
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      return sendProblem(ctx, refuse('METHOD_NOT_ALLOWED'), { allow: 'GET, HEAD' });
    }
    ctx.set('cache-control', 'no-store');
    if (ctx.path === '/metrics') return send(ctx, metrics.render(), 'text/plain; version=0.0.4; charset=utf-8');
    if (ctx.path === '/healthz') return send(ctx, '{"status":"ok"}', 'application/json; charset=utf-8');
    const checks: Record<string, boolean> = draining?.() ? { draining: false } : {};
    try {
      if (!draining?.()) Object.assign(checks, await ready?.());
    } catch (error) {
      log.debug({ err: error }, 'readiness cannot be told');
      checks.readiness = false;
    }
    const good = Object.values(checks).every(Boolean);
    ctx.status = good ? 200 : 503;
    if (!good) ctx.set('retry-after', '1');
    send(ctx, JSON.stringify({ status: good ? 'ready' : 'not ready', checks }), 'application/json; charset=utf-8');
  };
}

/** Lets only the own sidecar in. Digests have one length, so that the comparison tells nothing by its time. */
function onlySidecar(token: string): Koa.Middleware {
  const wanted = createHash('sha256').update(token).digest();
  return (ctx, next) => {
    const given = createHash('sha256').update(ctx.get('dapr-api-token')).digest();
    if (timingSafeEqual(given, wanted)) return next();
    return sendProblem(ctx, refuse('UNAUTHENTICATED', { text: 'Only the sidecar may call' }));
  };
}

/** Finds the route and runs it; knows 404 from 405. */
function dispatch(parts: AppParts, routes: readonly Route[]): Koa.Middleware {
  const router = new Router({ sensitive: true, strict: true });
  const strict = parts.strictAnswers ?? process.env.NODE_ENV === 'test';
  for (const route of routes) {
    router.register(route.path, [route.method], async (ctx) => {
      stateOf(ctx).route = route.path;
      const call = await readCall(ctx, route, parts.verifier);
      if (isRefusal(call)) return sendProblem(ctx, call);
      sendResult(ctx, route, await route.handler(call), strict);
    });
  }
  // The gateway has no routes of its own, and nothing inner to show.
  if (routes.some(({ internal }) => !internal)) {
    router.get('/internal/openapi', (ctx) => {
      stateOf(ctx).route = '/internal/openapi';
      send(ctx, JSON.stringify(documentOf(parts.name, routes)), 'application/json; charset=utf-8');
    });
  }
  return async (ctx) => {
    if (!decodes(ctx.path))
      return sendProblem(ctx, refuse('MALFORMED_REQUEST', { text: 'The path cannot be decoded' }));
    let missed = false;
    await router.routes()(ctx as never, async () => {
      missed = true;
    });
    if (!missed) return;
    const allowed = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods));
    if (allowed.size === 0) return sendProblem(ctx, refuse('NOT_FOUND'));
    sendProblem(ctx, refuse('METHOD_NOT_ALLOWED'), { allow: [...allowed].sort().join(', ') });
  };
}

function decodes(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
