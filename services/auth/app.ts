// The service from its dependencies, not listening.
import type Koa from 'koa';
import { type AppParts, createApp } from '#kit/http/app';
import { createVerifier } from '#kit/http/auth';
import type { Jwks } from '#kit/http/keys';
import { type AuthParts, routes } from './routes.ts';

/** Builds the app. Tokens that come in (logout) are checked with the own keys, without a call. */
export function authApp(host: Omit<AppParts, 'routes' | 'verifier'>, parts: AuthParts): Koa {
  const loadKeys = async () => (await parts.keys.jwks()) as Jwks;
  return createApp({ ...host, verifier: createVerifier({ loadKeys, clock: parts.clock }), routes: routes(parts) });
}
