// Roles and grants: who may do what, and where. Pure.
import { type Decision, type EventOf, refuse, type StreamKind } from '#kit/events/aggregate';
import type { Caller, Grant as ClaimedGrant, Scope as ScopeText } from '#kit/http/caller';
import type { Permission } from '#kit/http/permissions';

/** Where a role is held. `self`: over what belongs to the holder. */
export type Scope =
  | { readonly kind: 'organisation' | 'self' }
  | { readonly kind: 'shop' | 'machineGroup'; readonly id: string };

/** One role in one scope. */
export interface Grant {
  readonly role: string;
  readonly scope: Scope;
}

export interface Role {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
}

export type RoleEvent = EventOf<'role.defined', Role> | EventOf<'role.removed', { readonly name: string }>;
/** Null before it is defined, and when it was removed: grants of it then give nothing. */
export type RoleState = Role | null;

export const roleKind: StreamKind<RoleState, RoleEvent> = {
  name: 'role',
  initial: null,
  evolve: (_, event) => (event.type === 'role.defined' ? event.data : null),
  retention: 'paged',
  topic: 'access',
};

/** Names of all roles that were ever defined, in order. */
export const roleIndexes: StreamKind<readonly string[], EventOf<'role.listed', { readonly name: string }>> = {
  name: 'role-index',
  initial: [],
  evolve: (names, { data: { name } }) => [...new Set([...names, name])].sort(),
  retention: 'paged',
};

export interface Grants {
  /** Account or client id. */
  readonly principal: string;
  readonly grants: readonly Grant[];
}

export type GrantsEvent = EventOf<'grants.changed', Grants>;
/** Null as long as the principal has what it began with. */
export type GrantsState = Grants | null;

export const grantsKind: StreamKind<GrantsState, GrantsEvent> = {
  name: 'grants',
  initial: null,
  evolve: (_, event) => event.data,
  retention: 'paged',
  topic: 'access',
};

export function define(state: RoleState, role: Role): Decision<RoleEvent> {
  return state ? refuse('ALREADY_EXISTS', { name: role.name }) : [{ type: 'role.defined', data: asSet(role) }];
}

export function redefine(state: RoleState, wish: Role): Decision<RoleEvent> {
  if (!state) return refuse('NOT_FOUND');
  const role = asSet(wish);
  const same = state.description === role.description && state.permissions.join() === role.permissions.join();
  return same ? [] : [{ type: 'role.defined', data: role }];
}

export function remove(state: RoleState): Decision<RoleEvent> {
  return state ? [{ type: 'role.removed', data: { name: state.name } }] : refuse('NOT_FOUND');
}

/** What an account or client begins with: each of its roles in each of its shops, or over what is its own. */
export function firstGrants({ roles, shops }: { roles: readonly string[]; shops: readonly string[] }): Grant[] {
  const scopes = shops.map((id): Scope => (id === '*' ? { kind: 'organisation' } : { kind: 'shop', id }));
  const where: readonly Scope[] = scopes.length > 0 ? scopes : [{ kind: 'self' }];
  return roles.flatMap((role) => where.map((scope) => ({ role, scope })));
}

/** The grants that only one of the two has. */
export function difference(before: readonly Grant[], after: readonly Grant[]): Grant[] {
  const had = new Set(before.map(textOf));
  const has = new Set(after.map(textOf));
  return [...before.filter((grant) => !has.has(textOf(grant))), ...after.filter((grant) => !had.has(textOf(grant)))];
}

/** Nobody gives, or takes away, what is beyond the own rights: not in another scope, and no permission that is not held there. */
export function mayGrant(caller: Caller, scope: Scope, permissions: readonly Permission[]): boolean {
  const where = scopeText(scope);
  return ['access:write' as const, ...permissions].every((permission) => caller.mayIn(permission, where));
}

/** A scope as tokens have it. */
export function scopeText(scope: Scope): ScopeText {
  if (scope.kind === 'shop') return `shop:${scope.id}`;
  if (scope.kind === 'machineGroup') return `machine-group:${scope.id}`;
  return scope.kind === 'self' ? 'self' : '*';
}

/** Grants as tokens claim them: the permissions of each scope, scopes that have the same ones together. */
export function claimed(grants: readonly Grant[], roles: ReadonlyMap<string, readonly string[]>): ClaimedGrant[] {
  const byScope = new Map<string, Set<string>>();
  for (const { role, scope } of grants) {
    const where = scopeText(scope);
    const held = byScope.get(where) ?? new Set();
    for (const permission of roles.get(role) ?? []) held.add(permission);
    byScope.set(where, held);
  }
  const together = new Map<string, { perm: readonly string[]; in: string[] }>();
  for (const [where, held] of byScope) {
    const perm = [...held].sort();
    if (perm.length === 0) continue;
    const group = together.get(perm.join(' ')) ?? { perm, in: [] };
    group.in.push(where);
    together.set(perm.join(' '), group);
  }
  return [...together.values()];
}

function textOf({ role, scope }: Grant): string {
  return `${role} ${scopeText(scope)}`;
}

/** Permissions once each, in order: a role is a set of them, however it was written down. */
function asSet({ name, description, permissions }: Role): Role {
  return { name, description, permissions: [...new Set(permissions)].sort() };
}
