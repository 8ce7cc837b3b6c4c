// Who may do what: the one table from a role to its permissions.
import { type Permission, permissions } from '#kit/http/permissions';

/** Roles; the shops in which they hold stand at the account or client. */
export const roles = {
  admin: permissions,
  manager: [
    'inventory:read',
    'inventory:write',
    'order:sell',
    'order:price',
    'order:read',
    'order:write',
    'payment:read',
    'report:read',
  ],
  cashier: ['order:sell', 'order:price', 'order:read', 'inventory:read', 'payment:read'],
  customer: ['order:place'],
} as const satisfies Record<string, readonly Permission[]>;

export type Role = keyof typeof roles;

/** The permissions of several roles together, each once. */
export function permissionsOf(held: readonly Role[]): Permission[] {
  return [...new Set(held.flatMap((role) => roles[role]))];
}
