// Who is calling, as the access token says it.
import type { Permission } from './permissions.ts';

/** The bearer of a verified access token. */
export interface Caller {
  /** Account id, or the client id of a machine. */
  readonly id: string;
  /** Set for machines (`client_credentials`). */
  readonly clientId?: string | undefined;
  /** The login session (refresh family) behind the token, if any. */
  readonly session?: string | undefined;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  /** Shops in which the permissions hold; `*` is every shop. */
  readonly shops: readonly string[];
  /** True when the caller holds the permission at all, or in that shop. */
  may(permission: Permission, shopId?: string): boolean;
  /**
   * True for the account of that customer itself. Never for a machine: a till names its customers as it likes, and a
   * client's id may be one of those names.
   */
  isCustomer(customerId: string | null): boolean;
}

/** What a token claims, after its signature was checked. */
export interface Claims {
  readonly sub: string;
  readonly client_id?: string | undefined;
  readonly sid?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly perm?: readonly string[] | undefined;
  readonly shops?: readonly string[] | undefined;
}

/** Makes a caller of claims; missing lists are empty. */
export function callerOf(claims: Claims): Caller {
  const permissions = claims.perm ?? [];
  const shops = claims.shops ?? [];
  return {
    id: claims.sub,
    clientId: claims.client_id,
    session: claims.sid,
    roles: claims.roles ?? [],
    permissions,
    shops,
    isCustomer: (customerId) => claims.client_id === undefined && claims.sub === customerId,
    may: (permission, shopId) =>
      permissions.includes(permission) && (shopId === undefined || shops.includes('*') || shops.includes(shopId)),
  };
}
