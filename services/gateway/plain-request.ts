// Refuses what a proxy and the server behind it could read differently (RFC 9112 section 11.2): request smuggling,
// paths that mean another path after decoding, methods that nobody here knows.
import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';
import { type Refusal, refuse } from '#kit/errors';
import { sendProblem } from '#kit/http/respond';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Methods that carry no body here. */
const bodiless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

/** Headers that Node joins or drops when they come twice, and that must come once. */
const single = new Set([
  'host',
  'authorization',
  'content-length',
  'content-type',
  'idempotency-key',
  'if-match',
  'prefer',
]);

/** The first middleware. Node's own parser has refused already what RFC 9112 forbids outright. */
export function onlyPlainRequests(): Koa.Middleware {
  const tainted = new WeakSet<object>();
  return async (ctx, next) => {
    // Node reads pipelined requests ahead: what came behind a trick may be part of it, and nobody waits for its answer.
    if (tainted.has(ctx.req.socket)) return sendProblem(ctx, malformed('An earlier request was refused'));
    if (!methods.includes(ctx.method)) {
      return sendProblem(ctx, refuse('METHOD_NOT_ALLOWED'), { allow: methods.join(', ') });
    }
    const refusal = trickIn(ctx.req);
    if (!refusal) return next();
    tainted.add(ctx.req.socket);
    sendProblem(ctx, refusal, { connection: 'close' });
  };
}

function trickIn(request: IncomingMessage): Refusal | undefined {
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') return malformed('HTTP/1.1 is spoken here');
  const seen = new Set<string>();
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] ?? '').toLowerCase();
    if (single.has(name) && seen.has(name)) return malformed(`${name} is given more than once`);
    // Bytes beyond ASCII have no agreed meaning in a header (RFC 9110 section 5.5), and the sidecar refuses them.
    if (!/^[\t\x20-\x7e]*$/.test(request.rawHeaders[i + 1] ?? '')) return malformed(`${name} is not ASCII`);
    seen.add(name);
  }
  if (bodiless.has(request.method ?? '') && hasBody(request)) return malformed(`${request.method} takes no body`);
  return isPlainTarget(request.url ?? '') ? undefined : malformed('The path is not in its plain form');
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * True for a path that means the same before and after decoding and cleaning: origin form, no empty or dot segment
 * (encoded or not), no encoded slash, backslash or control character, and UTF-8 throughout.
 */
export function isPlainTarget(target: string): boolean {
  const [path = ''] = target.split('?', 1);
  if (!path.startsWith('/') || path.includes('//') || !/^[\x21-\x7e]+$/.test(target) || target.includes('#'))
    return false;
  if (path.includes('\\') || /%(2f|5c|2e|0.|1.|7f)/i.test(path)) return false;
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) return false;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function malformed(text: string): Refusal {
  return refuse('MALFORMED_REQUEST', { text });
}
