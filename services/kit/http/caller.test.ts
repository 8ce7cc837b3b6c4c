import { expect, test } from '@jest/globals';
import { callerOf } from './caller.ts';

test('a permission holds in the shops of the token', () => {
  const caller = callerOf({ sub: 'm', perm: ['order:read'], shops: ['north'] });
  expect([caller.may('order:read'), caller.may('order:read', 'north')]).toEqual([true, true]);
  expect([caller.may('order:read', 'south'), caller.may('order:write')]).toEqual([false, false]);
  expect(callerOf({ sub: 'a', perm: ['order:read'], shops: ['*'] }).may('order:read', 'south')).toBe(true);
});

test('an account is its own customer; a machine of that name is nobody, and nobody is no one', () => {
  expect(callerOf({ sub: 'c-1' }).isCustomer('c-1')).toBe(true);
  expect(callerOf({ sub: 'c-1' }).isCustomer('c-2')).toBe(false);
  expect(callerOf({ sub: 'c-1' }).isCustomer(null)).toBe(false);
  expect(callerOf({ sub: 'till', client_id: 'till' }).isCustomer('till')).toBe(false);
});

test('a right holds where it was given, and not where another right was', () => {
  const caller = callerOf({
    sub: 'm',
    grants: [
      { perm: ['order:read', 'inventory:write'], in: ['shop:north', 'machine-group:park'] },
      { perm: ['order:read'], in: ['shop:south'] },
      { perm: ['shop:write'], in: ['*'] },
    ],
  });
  expect(caller.may('order:read', 'south')).toBe(true);
  expect(caller.may('inventory:write', 'south')).toBe(false);
  expect(caller.may('inventory:write', '*')).toBe(false);
  expect(caller.mayIn('inventory:write', 'machine-group:park')).toBe(true);
  expect(caller.may('inventory:write', 'park')).toBe(false);
  expect(caller.shopsWhere('order:read')).toEqual(['north', 'south']);
  expect(caller.shopsWhere('shop:write')).toBe('everywhere');
  expect(caller.may('shop:write', 'anywhere')).toBe(true);
  expect(caller.shopsWhere('audit:read')).toEqual([]);
});

test('a shop cannot be named so that it is another scope', () => {
  const caller = callerOf({ sub: 'm', grants: [{ perm: ['order:read'], in: ['shop:*'] }] });
  expect(caller.may('order:read', '*')).toBe(false);
  expect(caller.may('order:read', 'north')).toBe(false);
});

test('tokens from before grants are read as they were meant', () => {
  const caller = callerOf({ sub: 'm', perm: ['order:read'], shops: ['*'] });
  expect(caller.shopsWhere('order:read')).toBe('everywhere');
  expect(caller.may('order:read', '*')).toBe(true);
});
