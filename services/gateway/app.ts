// The gateway from its dependencies, not listening.
import type Koa from 'koa';
import type { Sidecar } from '#kit/dapr/sidecar';
import { type AppParts, createApp } from '#kit/http/app';
import { type Clock, systemClock } from '#kit/time';
import { crossOrigin } from './cross-origin.ts';
import { docs } from './docs.ts';
import { documentSource } from './document.ts';
import { edge } from './edge.ts';
import { Forwarder, type Times } from './forward.ts';
import { Limiter } from './limits.ts';
import { onlyPlainRequests } from './plain-request.ts';
import { readiness } from './readiness.ts';
import { services } from './routes.ts';
import { Throttle } from './throttle.ts';

export interface GatewayParts extends Pick<AppParts, 'name' | 'log' | 'metrics' | 'draining' | 'verifier'> {
  readonly sidecar: Sidecar;
  readonly origins: readonly string[];
  readonly readyFile?: string | undefined;
  readonly clock?: Clock;
  readonly times?: Times;
}

/** Builds the app. It has no routes of its own: what the table does not know is 404. */
export function gatewayApp(parts: GatewayParts): Koa {
  const { sidecar, log, verifier } = parts;
  const clock = parts.clock ?? systemClock;
  const limiter = new Limiter(clock);
  const throttles = new Map(services.map((appId) => [appId, new Throttle(clock)]));
  const forwarder = new Forwarder(sidecar, parts.times);
  return createApp({
    ...parts,
    appToken: undefined,
    outermost: true,
    routes: [],
    ready: readiness(sidecar, services, parts.readyFile),
    middleware: [
      securityHeaders,
      onlyPlainRequests(),
      crossOrigin(parts.origins),
      docs(documentSource(sidecar, log)),
      edge({ verifier, limiter, forwarder, throttles }),
    ],
  });
}

const securityHeaders: Koa.Middleware = (ctx, next) => {
  ctx.set('x-content-type-options', 'nosniff');
  ctx.set('cache-control', 'no-store');
  return next();
};
