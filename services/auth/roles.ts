// Who may do what: the one table from a role to its permissions.

/** Every permission there is; a route asks for one of them. */
export const permissions = [
  'product:write',
  'shop:write',
  'inventory:read',
  'inventory:write',
  'order:place', // a customer's own web order
  'order:sell', // a sale at a till or machine
  'order:price', // own prices and discounts
  'order:read', // orders of others
  'order:write',
  'payment:read',
  'report:read',
  'audit:read',
] as const;

export type Permission = (typeof permissions)[number];

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
