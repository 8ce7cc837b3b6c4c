// What a principal may do now: its grants, each role of them looked up.
import type { Records } from '#kit/events/records';
import type { Grant as ClaimedGrant } from '#kit/http/caller';
import type { Permission } from '#kit/http/permissions';
import {
  claimed,
  firstGrants,
  type Grant,
  type GrantsEvent,
  type GrantsState,
  type Role,
  type RoleEvent,
  type RoleState,
} from './access.ts';
import { builtIn } from './roles.ts';

/** Whoever holds grants: an account or a client, with what it began with. */
export interface Principal {
  readonly id: string;
  readonly roles: readonly string[];
  readonly shops: readonly string[];
}

export interface Held {
  /** Names, each once. */
  readonly roles: readonly string[];
  readonly grants: readonly ClaimedGrant[];
}

/** Reads strongly, so that a change holds for the next token. Every method throws Fault when the store is out of reach. */
export class Rights {
  readonly roles: Records<RoleState, RoleEvent>;
  readonly grants: Records<GrantsState, GrantsEvent>;

  constructor(roles: Records<RoleState, RoleEvent>, grants: Records<GrantsState, GrantsEvent>) {
    this.roles = roles;
    this.grants = grants;
  }

  async of(principal: Principal): Promise<Held> {
    const { grants } = await this.grantsOf(principal);
    const names = [...new Set(grants.map(({ role }) => role))];
    return { roles: names, grants: claimed(grants, await this.permissionsOf(names)) };
  }

  /** Its grants with their version, 0 as long as they are those that it began with. */
  async grantsOf(principal: Principal): Promise<{ readonly grants: readonly Grant[]; readonly version: number }> {
    const stored = await this.grants.read(principal.id);
    return { grants: stored?.state?.grants ?? firstGrants(principal), version: stored?.version ?? 0 };
  }

  /** The role with its version; built-in ones have version 0. */
  async role(name: string): Promise<{ readonly role: Role; readonly version: number } | undefined> {
    const fixed = builtIn(name);
    if (fixed) return { role: fixed, version: 0 };
    const stored = await this.roles.read(name);
    return stored?.state ? { role: stored.state, version: stored.version } : undefined;
  }

  /** The permissions of those of the roles that exist. */
  async permissionsOf(names: readonly string[]): Promise<ReadonlyMap<string, readonly Permission[]>> {
    const found = await Promise.all(names.map(async (name) => [name, await this.role(name)] as const));
    return new Map(found.flatMap(([name, known]) => (known ? [[name, known.role.permissions]] : [])));
  }
}
