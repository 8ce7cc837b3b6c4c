// The service from its dependencies, not listening.
import type Koa from 'koa';
import { type AppParts, createApp } from '#kit/http/app';
import { type Dependencies, routes } from './routes.ts';

/** The Koa app of payment-provider. */
export function paymentProviderApp(parts: Omit<AppParts, 'routes'>, dependencies: Dependencies): Koa {
  return createApp({ ...parts, routes: [routes(dependencies)] });
}
