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
