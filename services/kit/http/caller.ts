// Who is calling, as the access token says it.
import type { Permission } from './permissions.ts';

/** Where a grant holds: `*` is the whole organisation, `self` what belongs to the caller, else one shop or machine group. */
export type Scope = '*' | 'self' | `shop:${string}` | `machine-group:${string}`;

/** Permissions and the scopes in which all of them hold. */
export interface Grant {
  readonly perm: readonly string[];
  readonly in: readonly string[];
}

/** The bearer of a verified access token. */
export interface Caller {
  /** Account id, or the client id of a machine. */
  readonly id: string;
  /** Set for machines (`client_credentials`). */
  readonly clientId?: string | undefined;
  /** The login session (refresh family) behind the token, if any. */
  readonly session?: string | undefined;
  readonly roles: readonly string[];
  /** True when the caller holds the permission somewhere, or in that shop; `*`: in the whole organisation. */
  may(permission: Permission, shopId?: string): boolean;
  /** True when the caller holds the permission in all of that scope. */
  mayIn(permission: Permission, scope: Scope): boolean;
  /** The shops in which the caller holds the permission, or `everywhere`. */
  shopsWhere(permission: Permission): readonly string[] | 'everywhere';
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
  readonly grants?: readonly Grant[] | undefined;
  /** The form before grants, which tokens under way during an upgrade still have: each of `perm` in each of `shops`. */
  readonly perm?: readonly string[] | undefined;
  readonly shops?: readonly string[] | undefined;
}

const SHOP = 'shop:';

/** Makes a caller of claims; missing lists are empty. */
export function callerOf(claims: Claims): Caller {
  const grants = claims.grants ?? [formerGrant(claims)];
  const holding = (permission: Permission) => grants.filter(({ perm }) => perm.includes(permission));
  const mayIn = (permission: Permission, scope: Scope) =>
    holding(permission).some((grant) => grant.in.includes('*') || grant.in.includes(scope));
  return {
    id: claims.sub,
    clientId: claims.client_id,
    session: claims.sid,
    roles: claims.roles ?? [],
    isCustomer: (customerId) => claims.client_id === undefined && claims.sub === customerId,
    mayIn,
    may(permission, shopId) {
      if (shopId === undefined) return holding(permission).length > 0;
      return mayIn(permission, shopId === '*' ? '*' : `${SHOP}${shopId}`);
    },
    shopsWhere(permission) {
      const scopes = holding(permission).flatMap((grant) => grant.in);
      if (scopes.includes('*')) return 'everywhere';
      return [...new Set(scopes)].flatMap((scope) => (scope.startsWith(SHOP) ? [scope.slice(SHOP.length)] : []));
    },
  };
}

function formerGrant({ perm = [], shops = [] }: Claims): Grant {
  return { perm, in: shops.map((shop) => (shop === '*' ? shop : `${SHOP}${shop}`)) };
}
