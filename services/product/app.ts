// The service from its parts, not listening.
import type Koa from 'koa';
import { Records } from '#kit/events/records';
import type { Streams } from '#kit/events/streams';
import { type AppParts, createApp } from '#kit/http/app';
import { products } from './product.ts';
import { internalRoutes, routes } from './routes.ts';
import type { ProductList } from './views.ts';

/** The Koa app of product. */
export function productApp(parts: Omit<AppParts, 'routes'>, streams: Streams, list: ProductList): Koa {
  const dependencies = { catalogue: new Records(streams, products), list };
  return createApp({ ...parts, routes: [routes(dependencies), internalRoutes(dependencies)] });
}
