// The roles that are always there. Others are made by whoever may (`access-routes.ts`).
import { type Permission, permissions } from '#kit/http/permissions';
import type { Role } from './access.ts';

const fixed = {
  admin: { description: 'Everything', permissions },
  manager: {
    description: 'Runs a shop',
    permissions: [
      'inventory:read',
      'inventory:write',
      'order:sell',
      'order:price',
      'order:read',
      'order:write',
      'payment:read',
      'report:read',
    ],
  },
  cashier: {
    description: 'Sells at a till',
    permissions: ['order:sell', 'order:price', 'order:read', 'inventory:read', 'payment:read'],
  },
  customer: { description: 'Places orders of its own', permissions: ['order:place'] },
} as const satisfies Record<string, { readonly description: string; readonly permissions: readonly Permission[] }>;

export type BuiltInRole = keyof typeof fixed;

/** The role of that name, if it is one of those that nobody can change. */
export function builtIn(name: string): Role | undefined {
  return Object.hasOwn(fixed, name) ? { name, ...fixed[name as BuiltInRole] } : undefined;
}

export const builtInRoles: readonly Role[] = Object.entries(fixed).map(([name, role]) => ({ name, ...role }));
