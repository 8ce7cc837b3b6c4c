// The one table of the public surface: which path goes to which service, and how large a body may be.

export interface PublicRoute {
  /** The path itself and everything below it. */
  readonly prefix: string;
  /** The path itself only. */
  readonly exact?: boolean;
  readonly appId: string;
  /** Path at the service, when it is another one. */
  readonly to?: string;
  /** Only these methods; all that the gateway knows unless told. */
  readonly methods?: readonly string[];
  /** The caller authenticates in its own way, or not at all: no access token is looked for. */
  readonly noToken?: boolean;
  /** Commands that are turned away at the gateway while the service says that it is overloaded. */
  readonly throttled?: boolean;
  /** Request headers that pass here besides the usual ones. */
  readonly headers?: readonly string[];
}

/** First match wins: exact exceptions stand before the prefix that they are an exception of. */
export const routes: readonly PublicRoute[] = [
  { prefix: '/api/v1/auth/token', exact: true, appId: 'auth', noToken: true },
  { prefix: '/api/v1/auth', appId: 'auth' },
  { prefix: '/api/v1/roles', appId: 'auth' },
  { prefix: '/api/v1/principals', appId: 'auth' },
  { prefix: '/api/v1/products', appId: 'product' },
  { prefix: '/api/v1/inventory', appId: 'inventory' },
  { prefix: '/api/v1/reservations', appId: 'inventory' },
  { prefix: '/api/v1/orders', exact: true, appId: 'order', throttled: true },
  { prefix: '/api/v1/orders', appId: 'order' },
  { prefix: '/api/v1/payments', appId: 'payment' },
  { prefix: '/api/v1/shops', appId: 'shop' },
  { prefix: '/api/v1/notifications', appId: 'notification' },
  { prefix: '/api/v1/reports', appId: 'report' },
  { prefix: '/api/v1/dead-letters', appId: 'report' },
  { prefix: '/api/v1/audit', appId: 'report' },
  { prefix: '/.well-known/jwks.json', exact: true, appId: 'auth', methods: ['GET', 'HEAD'] },
  ...['/webhooks/provider', '/api/v1/webhooks/provider'].map((prefix) => ({
    prefix,
    exact: true,
    appId: 'payment-provider',
    to: '/internal/webhooks',
    methods: ['POST'],
    noToken: true,
    headers: ['stripe-signature'],
  })),
];

/** Services that have to be ready before the gateway is. */
export const services: readonly string[] = [
  'auth',
  'product',
  'inventory',
  'order',
  'payment',
  'payment-provider',
  'shop',
  'notification',
  'report',
];

/** Bytes of a body, by method and path. */
export function maxBodyOf(method: string, path: string): number {
  return method === 'POST' && path === '/api/v1/inventory/receipts' ? 2 * 1024 * 1024 : 256 * 1024;
}

/** The row for a path that was checked to be plain, undefined: not public. */
export function routeOf(path: string): PublicRoute | undefined {
  // The sidecar would take the slash off: another path for us (and our limits), the same for the service.
  if (path.endsWith('/')) return undefined;
  return routes.find(({ prefix, exact }) => path === prefix || (!exact && path.startsWith(`${prefix}/`)));
}
