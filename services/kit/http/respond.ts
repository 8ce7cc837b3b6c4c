// From what a handler returned to bytes on the wire.
import type Koa from 'koa';
import type { z } from 'zod';
import { isRefusal, type Refusal } from '../errors.ts';
import { Answer } from './answer.ts';
import type { Route } from './api.ts';
import { isCode, problemOf } from './problem.ts';
import { stateOf } from './request.ts';

/** Exact length of the body: daprd ends a broken answer as if it were complete and drops `content-length`. */
export const BODY_LENGTH = 'x-body-length';

/** Sends a refusal as a problem document (RFC 9457). An unknown code is our mistake: 500, and a line in the log. */
export function sendProblem(ctx: Koa.Context, refusal: Refusal, headers: Readonly<Record<string, string>> = {}): void {
  const state = stateOf(ctx);
  if (!isCode(refusal.refused)) state.log.error({ code: refusal.refused }, 'a refusal has no row in problem.ts');
  const problem = problemOf(refusal, { path: ctx.path, traceId: state.traceId });
  ctx.status = problem.status;
  ctx.set(headers);
  if (problem.status === 401) ctx.set('www-authenticate', challenge(ctx));
  // What is left of the body is not worth waiting for.
  if (problem.status === 413 && !ctx.req.complete) ctx.set('connection', 'close');
  if (problem.status === 503 && !headers['retry-after']) ctx.set('retry-after', '1');
  send(ctx, JSON.stringify(problem), 'application/problem+json; charset=utf-8');
}

/** Sends what a handler returned. `strict`: an answer that its schema does not allow is an error (tests). */
export function sendResult(ctx: Koa.Context, route: Route, result: unknown, strict: boolean): void {
  if (isRefusal(result)) {
    sendProblem(ctx, result);
    return;
  }
  if (!(result instanceof Answer)) throw new Error(`${route.method} ${route.path} returned no answer`);
  if (strict) assertAnswer(route, result);
  ctx.status = result.status;
  ctx.set(result.headers as Record<string, string>);
  if ((ctx.method === 'GET' || ctx.method === 'HEAD') && result.status === 200 && isHeld(ctx, result.headers.etag)) {
    ctx.status = 304;
    ctx.body = null;
    return;
  }
  if (result.body === null || result.body === undefined) {
    ctx.body = null;
    ctx.status = result.status;
    return;
  }
  if (typeof result.body === 'string' || Buffer.isBuffer(result.body)) {
    send(ctx, result.body, result.headers['content-type'] ?? 'text/plain; charset=utf-8');
  } else {
    send(ctx, JSON.stringify(result.body), result.headers['content-type'] ?? 'application/json; charset=utf-8');
  }
}

/** Puts a body with its type and its exact length. */
export function send(ctx: Koa.Context, body: string | Buffer, type: string): void {
  ctx.set('content-type', type);
  if (!stateOf(ctx).outermost) ctx.set(BODY_LENGTH, String(Buffer.byteLength(body)));
  ctx.body = body;
}

/** Weak comparison, as If-None-Match wants it (RFC 9110 section 13.1.2). */
function isHeld(ctx: Koa.Context, etag: string | undefined): boolean {
  const held = ctx.get('if-none-match');
  if (etag === undefined || held === '') return false;
  if (held.trim() === '*') return true;
  return held.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/** RFC 6750 section 3: the error is named only when a token came. */
function challenge(ctx: Koa.Context): string {
  return ctx.headers.authorization === undefined
    ? 'Bearer realm="retail-erp"'
    : 'Bearer realm="retail-erp", error="invalid_token"';
}

function assertAnswer({ method, path, spec }: Route, answer: Answer): void {
  const where = `${method} ${path}`;
  if (!(answer.status in spec.answers)) throw new Error(`${where} does not declare status ${answer.status}`);
  const schema = spec.answers[answer.status] as z.ZodType | null;
  const parsed = schema?.safeParse(answer.body);
  if (parsed && !parsed.success)
    throw new Error(`${where} answers what its schema does not allow: ${parsed.error.message}`);
}
