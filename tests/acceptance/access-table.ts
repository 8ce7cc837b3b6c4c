// The one table of who may do what, and where: every public route with the permission and the scope that it takes.
import type { Permission } from '#kit/http/permissions';
import { SHOP } from './world.ts';

/** Where transfers go: a shop that no other suite sells in. */
export const DESTINATION = 'shop-406';

/**
 * `shop`: in the shop that the request is about. `somewhere`: in some shop, and the answer holds nothing of others.
 * `organisation`: in the whole of it. `owner`: the customer whose order it is, too.
 */
export type Rule =
  | 'anyone'
  | 'caller'
  | { readonly can: Permission; readonly in: 'shop' | 'somewhere' | 'organisation'; readonly owner?: boolean };

/** Things that are there: of the caller's own shop, of another shop, or of a customer. */
export interface Things {
  readonly shopId: string;
  readonly sku: string;
  readonly orderId: string;
  readonly paymentId: string;
  /** Of goods that have left the shop. */
  readonly transferId: string;
}

export interface Row {
  readonly rule: Rule;
  /** The address and what is sent; templates are filled in by themselves. It is meant to fail behind the door. */
  readonly query?: string | ((things: Things) => string);
  readonly body?: ((things: Things) => unknown) | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** The shop that the rule asks about, when it is not that of the things. */
  readonly at?: string;
  /** One who may not see it gets an empty list: another row says whether it is seen. */
  readonly emptyUnless?: Rule;
  /** What is named is not there: 404 then means that the door was passed. */
  readonly absent?: boolean;
  /** Not asked here: its own suite does. */
  readonly elsewhere?: boolean;
}

const audited: Row = { rule: { can: 'audit:read', in: 'organisation' } };
const keyed = { 'idempotency-key': 'access' };
const stale = { 'if-match': '"9999"' };
const nothing = () => ({});
const unknownLine = { sku: 'no-such-sku', quantity: 1 };
const sheet =
  (more: object = {}) =>
  ({ shopId }: Things) => ({
    shopId,
    reference: 'access',
    lines: [unknownLine],
    ...more,
  });
const writesStock = (body: Row['body']): Row => ({
  rule: { can: 'inventory:write', in: 'shop' },
  ...{ body, headers: keyed },
});
const writesProducts: Row = {
  rule: { can: 'product:write', in: 'organisation' },
  ...{ body: nothing, headers: { ...keyed, ...stale } },
};
const handsOut: Row = {
  rule: { can: 'order:write', in: 'shop' },
  body: () => ({ lines: [unknownLine] }),
  headers: keyed,
};
const reports = (query: string): Row => ({ rule: { can: 'report:read', in: 'somewhere' }, query });
const days = '?from=2017-01-01&to=2017-01-02';
const administers: Row = {
  rule: { can: 'report:admin', in: 'organisation' },
  ...{ body: () => ({ reason: 'access' }), headers: keyed, absent: true },
};
const asksAdmin: Row = { rule: administers.rule, absent: true };
const readsAccess: Row = { rule: { can: 'access:read', in: 'organisation' }, absent: true };
const writesAccess: Row = {
  rule: { can: 'access:write', in: 'organisation' },
  ...{ body: nothing, headers: stale, absent: true },
};
const open: Row = { rule: 'anyone' };
const own: Row = { rule: 'anyone', elsewhere: true };
const ownAccount: Row = { rule: 'caller', elsewhere: true };

/** By method and path template, as in the OpenAPI document. */
export const accessTable: Readonly<Record<string, Row>> = {
  'POST /api/v1/auth/login': own,
  'POST /api/v1/auth/refresh': own,
  'POST /api/v1/auth/logout': own,
  'POST /api/v1/auth/token': own,
  'POST /api/v1/auth/register': own,
  'POST /api/v1/auth/verify': own,
  'POST /api/v1/auth/password/forgot': own,
  'POST /api/v1/auth/password/reset': own,
  'PUT /api/v1/auth/password': ownAccount,
  'GET /api/v1/auth/sessions': ownAccount,
  'DELETE /api/v1/auth/sessions/{id}': ownAccount,
  'GET /api/v1/principals/{id}/sessions': { rule: { can: 'access:write', in: 'organisation' }, absent: true },
  'DELETE /api/v1/principals/{id}/sessions/{session}': {
    ...{ rule: { can: 'access:write', in: 'organisation' }, absent: true },
  },
  'GET /.well-known/jwks.json': open,
  'POST /webhooks/provider': own,
  'POST /api/v1/webhooks/provider': own,
  'GET /healthz': open,
  'GET /readyz': open,
  'GET /metrics': open,
  'GET /openapi.json': open,
  'GET /api/v1/roles': { ...readsAccess, absent: false },
  'POST /api/v1/roles': writesAccess,
  'GET /api/v1/roles/{name}': readsAccess,
  'PUT /api/v1/roles/{name}': writesAccess,
  'DELETE /api/v1/roles/{name}': { ...writesAccess, body: undefined },
  'GET /api/v1/principals/{id}/grants': readsAccess,
  'PUT /api/v1/principals/{id}/grants': { ...writesAccess, body: () => ({ grants: [] }) },
  'GET /api/v1/products': open,
  'GET /api/v1/products/{sku}': open,
  'GET /api/v1/products/{sku}/events': audited,
  'POST /api/v1/products': writesProducts,
  'POST /api/v1/products/batch': writesProducts,
  'PUT /api/v1/products/{sku}': writesProducts,
  'PUT /api/v1/products/{sku}/prices/{shopId}': writesProducts,
  'GET /api/v1/shops': open,
  'GET /api/v1/shops/{id}': open,
  'GET /api/v1/shops/{id}/events': audited,
  'POST /api/v1/shops': { rule: { can: 'shop:write', in: 'organisation' }, body: nothing },
  'PUT /api/v1/shops/{id}': { rule: { can: 'shop:write', in: 'shop' }, body: nothing, headers: stale },
  'GET /api/v1/inventory/{shopId}': { rule: { can: 'inventory:read', in: 'shop' } },
  'GET /api/v1/inventory/{shopId}/{sku}': { rule: { can: 'inventory:read', in: 'shop' } },
  'GET /api/v1/inventory/{shopId}/{sku}/events': audited,
  'GET /api/v1/inventory/{shopId}/{sku}/threshold': { rule: { can: 'inventory:read', in: 'shop' } },
  'PUT /api/v1/inventory/{shopId}/{sku}/threshold': {
    rule: { can: 'inventory:write', in: 'shop' },
    ...{ body: () => ({ lowStockAt: 1 }), headers: stale },
  },
  'POST /api/v1/inventory/receipts': writesStock(sheet()),
  'POST /api/v1/inventory/adjustments': writesStock(sheet()),
  'POST /api/v1/inventory/transfers': writesStock(sheet({ toShopId: SHOP })),
  'GET /api/v1/inventory/transfers/{id}': { rule: { can: 'inventory:read', in: 'shop' } },
  'POST /api/v1/inventory/transfers/{id}/receipts': {
    ...writesStock(() => ({ lines: [{ sku: 'no-such-sku', received: 1 }] })),
    at: DESTINATION,
  },
  'POST /api/v1/inventory/write-offs': writesStock(sheet({ lines: [{ ...unknownLine, reason: 'damaged' }] })),
  'POST /api/v1/inventory/counts': writesStock(sheet({ lines: [{ sku: 'no-such-sku', counted: 1 }] })),
  'POST /api/v1/orders': {
    rule: { can: 'order:sell', in: 'shop' },
    headers: keyed,
    body: ({ shopId }) => ({ channel: 'pos', shopId, lines: [unknownLine], payment: { method: 'cash' } }),
  },
  'GET /api/v1/orders': { rule: 'caller' },
  'GET /api/v1/orders/{id}': { rule: { can: 'order:read', in: 'shop', owner: true } },
  'GET /api/v1/orders/{id}/events': audited,
  'POST /api/v1/orders/{id}/fulfilments': handsOut,
  'POST /api/v1/orders/{id}/returns': {
    rule: { can: 'order:write', in: 'shop', owner: true },
    body: () => ({ lines: [{ ...unknownLine, condition: 'sellable' }], reason: 'access' }),
    headers: keyed,
  },
  'POST /api/v1/orders/{id}/cancel': {
    rule: { can: 'order:write', in: 'shop', owner: true },
    ...{ body: () => ({ reason: 'access' }), headers: keyed },
  },
  'GET /api/v1/payments': {
    rule: 'caller',
    query: ({ orderId }) => `?orderId=${orderId}`,
    emptyUnless: { can: 'payment:read', in: 'shop', owner: true },
  },
  'GET /api/v1/payments/{id}': { rule: { can: 'payment:read', in: 'shop', owner: true } },
  'GET /api/v1/payments/{id}/events': audited,
  'GET /api/v1/reservations/{orderId}/events': audited,
  'GET /api/v1/reservations/{orderId}/returns/{returnId}/events': { ...audited, elsewhere: true },
  'GET /api/v1/notifications/{orderId}/{template}/events': { ...audited, elsewhere: true },
  'GET /api/v1/reports/sales': reports(`${days}&groupBy=shop,day`),
  'GET /api/v1/reports/payments': reports(days),
  'GET /api/v1/reports/trial-balance': reports('?to=2017-01-02'),
  'GET /api/v1/reports/saga': reports(days),
  'GET /api/v1/reports/stock': reports(''),
  'POST /api/v1/reports/views/{view}/rebuild': { ...administers, body: undefined },
  'GET /api/v1/reports/views/{view}/rebuild': asksAdmin,
  'GET /api/v1/dead-letters': { ...asksAdmin, absent: false },
  'GET /api/v1/dead-letters/{id}': asksAdmin,
  'POST /api/v1/dead-letters/{id}/replay': administers,
  'POST /api/v1/dead-letters/{id}/discard': administers,
  'POST /api/v1/dead-letters/replay': { ...administers, body: () => ({ reason: 'access', topic: 'no-such-topic' }) },
  'GET /api/v1/audit': { rule: { can: 'audit:read', in: 'somewhere' } },
  'GET /api/v1/audit/verify': { rule: { can: 'audit:read', in: 'organisation' } },
};
