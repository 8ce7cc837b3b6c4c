import { expect, test } from '@jest/globals';
import type { Order } from '../client/retail.ts';
import { type Bags, judgeBags } from './bags.ts';

const order = (fulfilments: string[], returns: string[]) =>
  ({
    fulfilments: fulfilments.map((id) => ({ id })),
    returns: returns.map((id) => ({ id })),
  }) as unknown as Order;
const told: Bags = {
  handedOut: { id: 'f' },
  returns: [{ id: 'r' }, { id: 'r' }],
  tooMuch: { refused: 'RETURN_EXCEEDS' },
};
const kept = order(['f'], ['r']);

test.each<[string, Partial<Bags>, Order, number]>([
  ['all as it was told', {}, kept, 0],
  ['a handing out that is not there', {}, order([], ['r']), 1],
  ['a return that is not there, told to both who asked', {}, order(['f'], []), 2],
  ['a return booked twice', { returns: [{ id: 'r' }, { id: 'r2' }] }, order(['f'], ['r', 'r2']), 1],
  ['a return of more than was bought', { tooMuch: { id: 'r2' } }, order(['f'], ['r', 'r2']), 2],
  ['another refusal of it', { tooMuch: { refused: 'NOT_FOUND' } }, kept, 1],
  ['nobody answered', { handedOut: undefined }, kept, 1],
  ['a handing out that was refused', { handedOut: { refused: 'ORDER_NOT_CONFIRMED' } }, kept, 1],
])('%s', (_, change, end, findings) => {
  expect(judgeBags({ ...told, ...change }, end, false)).toHaveLength(findings);
});

test('a wrong clock allows refusals, and nothing else', () => {
  expect(judgeBags({ ...told, handedOut: { refused: 'X' }, tooMuch: { refused: 'X' } }, kept, true)).toEqual([]);
  expect(judgeBags(told, order(['f'], []), true)).toHaveLength(2);
});
