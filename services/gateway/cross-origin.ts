// Browsers of other origins: shut unless the origin is configured (Fetch standard, CORS protocol).
import type Koa from 'koa';

const EXPOSED =
  'ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Idempotent-Replayed, X-Stale, X-Request-Id, Deprecation, Sunset';
const ALLOWED =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Min-Version, X-Request-Id, traceparent';

/** Lets the named origins in. No cookies are used here, so credentials are never allowed. */
export function crossOrigin(origins: readonly string[]): Koa.Middleware {
  return async (ctx, next) => {
    const origin = ctx.get('origin');
    if (origins.length > 0) ctx.vary('Origin');
    if (!origins.includes(origin)) return next();
    ctx.set('access-control-allow-origin', origin);
    ctx.set('access-control-expose-headers', EXPOSED);
    if (ctx.method !== 'OPTIONS' || ctx.get('access-control-request-method') === '') return next();
    ctx.set('access-control-allow-methods', 'GET, HEAD, POST, PUT, PATCH, DELETE');
    ctx.set('access-control-allow-headers', ALLOWED);
    ctx.set('access-control-max-age', '600');
    ctx.status = 204;
  };
}
