// Every permission there is, in one table: a route asks for one, a role holds some (`auth/roles.ts`).

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
  'report:admin', // views and dead letters
  'audit:read',
  'access:read', // roles, and who holds them where
  'access:write',
] as const;

export type Permission = (typeof permissions)[number];
