// The service from its parts, not listening.
import { randomUUID } from 'node:crypto';
import type Koa from 'koa';
import { Records } from '#kit/events/records';
import type { Streams } from '#kit/events/streams';
import { type AppParts, createApp } from '#kit/http/app';
import { internalRoutes, routes } from './routes.ts';
import { shops } from './shop.ts';

/** The Koa app of shop. */
export function shopApp(parts: Omit<AppParts, 'routes'>, streams: Streams): Koa {
  const dependencies = { shops: new Records(streams, shops), newId: randomUUID };
  return createApp({ ...parts, routes: [routes(dependencies), internalRoutes(dependencies)] });
}
