// Roles and grants over the API. Every change is an event, so that the audit tells who gave what to whom.
import { z } from 'zod';
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import { streamOf } from '#kit/events/aggregate';
import { commandOrigin } from '#kit/events/command-origin';
import type { Desk } from '#kit/events/desk';
import type { Versioned } from '#kit/events/records';
import { type Api, api, type Caller, created, noContent, ok } from '#kit/http/api';
import { type Permission, permissions } from '#kit/http/permissions';
import { wrongField } from '#kit/http/validation';
import {
  define,
  difference,
  firstGrants,
  type Grant,
  mayGrant,
  type RoleState,
  redefine,
  remove,
  roleIndexes,
  scopeText,
} from './access.ts';
import type { Accounts } from './accounts.ts';
import type { Revocations } from './revocations.ts';
import type { Principal, Rights } from './rights.ts';
import { builtIn, builtInRoles } from './roles.ts';

export interface AccessParts {
  readonly accounts: Accounts;
  readonly rights: Rights;
  readonly revocations: Revocations;
}

/** More would not fit into a token. */
const MOST_GRANTS = 32;

const RoleName = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, '1 to 40 small letters, digits and -, a letter first');
const wish = { description: z.string().max(200), permissions: z.array(z.enum(permissions)).max(permissions.length) };
const RoleDraft = z.strictObject({ name: RoleName, ...wish }).meta({ id: 'RoleDraft' });
const RoleView = z.strictObject({ name: z.string(), ...wish, builtIn: z.boolean() }).meta({ id: 'Role' });

const ScopeView = z
  .strictObject({
    kind: z.enum(['organisation', 'shop', 'machineGroup', 'self']),
    id: z.string().min(1).max(64).optional(),
  })
  .refine(
    ({ kind, id }) => (kind === 'shop' || kind === 'machineGroup') === (id !== undefined),
    'A shop or machine group has an id, nothing else has',
  )
  .meta({ id: 'Scope', description: '`self`: what belongs to the holder. `id` of a shop or machine group' });
const GrantView = z.strictObject({ role: RoleName, scope: ScopeView }).meta({ id: 'Grant' });
const GrantsView = z.strictObject({ principal: z.string(), grants: z.array(GrantView) }).meta({ id: 'Grants' });

const read = { can: 'access:read', everywhere: true } as const;
const write = { can: 'access:write', everywhere: true } as const;
const roleIndex = streamOf(roleIndexes, 'all');

/** The routes under `/roles` and `/principals`. */
export function accessRoutes(parts: AccessParts): Pick<Api, 'routes'>[] {
  return [roleRoutes(parts), grantRoutes(parts)];
}

function roleRoutes({ rights, revocations }: AccessParts) {
  const { roles } = rights;
  return api('/roles', { tag: 'access' })
    .get(
      '',
      { summary: 'List the roles', access: read, answers: { 200: z.strictObject({ items: z.array(RoleView) }) } },
      async () => {
        const names = (await roles.streams.read(roleIndex))?.state ?? [];
        const found = await Promise.all(names.map((name) => roles.read(name)));
        const made = found.flatMap((role) => (role?.state ? [{ ...role.state, builtIn: false }] : []));
        return ok({ items: [...builtInRoles.map((role) => ({ ...role, builtIn: true })), ...made] });
      },
    )
    .get(
      '/:name',
      { summary: 'Read a role', access: read, answers: { 200: RoleView } },
      async ({ params: { name } }) => {
        const known = await rights.role(name);
        if (!known) return refuse('NOT_FOUND');
        return ok({ ...known.role, builtIn: builtIn(name) !== undefined }, { version: known.version });
      },
    )
    .post(
      '',
      {
        summary: 'Define a role',
        access: write,
        takes: RoleDraft,
        answers: { 201: RoleView },
        refusals: ['ALREADY_EXISTS'],
      },
      async (call) => {
        const { body, caller } = call;
        if (builtIn(body.name)) return refuse('ALREADY_EXISTS', { name: body.name });
        if (!holds(caller, body.permissions)) return beyondOwn();
        const listed = (desk: Desk) => desk.append(roleIndex, { type: 'role.listed', data: { name: body.name } });
        const defining = { id: body.name, origin: commandOrigin(call), touch: [roleIndex], along: listed };
        const done = await roles.change(defining, define, body);
        return answer(done, (role, version) =>
          created(`/api/v1/roles/${role.name}`, { ...role, builtIn: false }, { version }),
        );
      },
    )
    .put(
      '/:name',
      {
        summary: 'Change a role',
        description:
          'It holds for every new token at once, and ends the tokens that were given with the role as it was.',
        access: write,
        guarded: true,
        takes: RoleDraft,
        answers: { 200: RoleView },
        refusals: ['ROLE_BUILT_IN'],
      },
      async (call) => {
        const {
          params: { name },
          body,
          caller,
        } = call;
        if (builtIn(name)) return refuse('ROLE_BUILT_IN');
        if (body.name !== name) return wrongField('name', 'Not the name of the path');
        const before = await rights.role(name);
        if (!holds(caller, [...body.permissions, ...(before?.role.permissions ?? [])])) return beyondOwn();
        const done = await roles.change({ id: name, held: call.ifMatch, origin: commandOrigin(call) }, redefine, body);
        if (!isRefusal(done)) await revocations.add({ role: name });
        return answer(done, (role, version) => ok({ ...role, builtIn: false }, { version }));
      },
    )
    .delete(
      '/:name',
      {
        summary: 'Remove a role: whoever holds it has nothing by it',
        access: write,
        guarded: true,
        answers: { 204: null },
        refusals: ['ROLE_BUILT_IN'],
      },
      async (call) => {
        const { name } = call.params;
        if (builtIn(name)) return refuse('ROLE_BUILT_IN');
        const before = await rights.role(name);
        if (!holds(call.caller, before?.role.permissions ?? [])) return beyondOwn();
        const done = await roles.change(
          { id: name, held: call.ifMatch, origin: commandOrigin(call) },
          remove,
          undefined,
        );
        if (isRefusal(done)) return done;
        await revocations.add({ role: name });
        return noContent();
      },
    );
}

function grantRoutes({ accounts, rights, revocations }: AccessParts) {
  const principalOf = async (id: string): Promise<Principal | undefined> =>
    (await accounts.byId(id)) ?? (await accounts.clientById(id));

  return api('/principals', { tag: 'access' })
    .get(
      '/:id/grants',
      {
        summary: 'Which roles an account or client holds, and where',
        description: 'Everyone may read the own ones.',
        access: 'caller',
        answers: { 200: GrantsView },
        refusals: ['FORBIDDEN', 'NOT_FOUND'],
      },
      async ({ params: { id }, caller }) => {
        if (caller.id !== id && !caller.may('access:read')) return refuse('FORBIDDEN');
        const principal = await principalOf(id);
        const everywhere = caller.id === id || caller.may('access:read', '*');
        if (!principal) return refuse(everywhere ? 'NOT_FOUND' : 'FORBIDDEN');
        const { grants, version } = await rights.grantsOf(principal);
        const seen = everywhere || grants.some(({ scope }) => caller.mayIn('access:read', scopeText(scope)));
        return seen ? ok({ principal: id, grants: [...grants] }, { version }) : refuse('FORBIDDEN');
      },
    )
    .put(
      '/:id/grants',
      {
        summary: 'Say which roles an account or client holds, and where',
        description:
          'Nobody changes the own grants, or gives or takes what is beyond the own rights. It holds for every new token at once, and ends the tokens given before.',
        access: { can: 'access:write' },
        guarded: true,
        takes: z.strictObject({ grants: z.array(GrantView).max(MOST_GRANTS) }),
        answers: { 200: GrantsView },
        refusals: ['ROLE_UNKNOWN'],
      },
      async (call) => {
        const {
          params: { id },
          body,
          caller,
          ifMatch,
        } = call;
        if (caller.id === id) return refuse('FORBIDDEN', { text: 'Nobody changes the own grants' });
        const principal = await principalOf(id);
        if (!principal) return refuse(caller.may('access:write', '*') ? 'NOT_FOUND' : 'FORBIDDEN');
        const grants = body.grants as readonly Grant[];
        const held = await rights.grantsOf(principal);
        const known = await rights.permissionsOf([...new Set([...held.grants, ...grants].map(({ role }) => role))]);
        const unknown = grants.find(({ role }) => !known.has(role));
        if (unknown) return refuse('ROLE_UNKNOWN', { role: unknown.role });
        const ref = rights.grants.of(id);
        const done = await rights.grants.streams.execute<Versioned<readonly Grant[]> | Refusal>({
          touch: [ref],
          origin: commandOrigin(call),
          decide(desk) {
            const before = desk.state(ref)?.grants ?? firstGrants(principal);
            if (desk.wrote(ref) === undefined) {
              // Rights first: what the version is, and whether a guess is right, is nobody else's business.
              const changed = difference(before, grants);
              const within = [...before, ...grants].some(({ scope }) => mayGrant(caller, scope, []));
              const allowed = changed.every(({ role, scope }) => mayGrant(caller, scope, known.get(role) ?? []));
              if (!within && !mayGrant(caller, { kind: 'organisation' }, [])) return refuse('FORBIDDEN');
              if (!allowed) return beyondOwn();
              if (desk.version(ref) !== ifMatch) return refuse('PRECONDITION_FAILED', { current: desk.version(ref) });
              if (changed.length > 0) desk.append(ref, { type: 'grants.changed', data: { principal: id, grants } });
            }
            return { state: desk.state(ref)?.grants ?? before, version: desk.version(ref) };
          },
        });
        if (isRefusal(done)) return done;
        await revocations.add({ subject: id });
        return ok({ principal: id, grants: [...done.state] }, { version: done.version });
      },
    );
}

function holds(caller: Caller, wanted: readonly Permission[]): boolean {
  return mayGrant(caller, { kind: 'organisation' }, wanted);
}

function beyondOwn(): Refusal {
  return refuse('FORBIDDEN', { text: 'Nobody gives or takes what is beyond the own rights' });
}

function answer<A>(done: Versioned<RoleState> | Refusal, as: (role: NonNullable<RoleState>, version: number) => A) {
  if (isRefusal(done)) return done;
  return done.state ? as(done.state, done.version) : refuse('NOT_FOUND');
}
