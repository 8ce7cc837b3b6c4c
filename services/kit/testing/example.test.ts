import { expect, test } from '@jest/globals';
import { example } from './example.ts';

interface Cancelled {
  orderId: string;
  cancellation: { code: string; detail: string };
  lines: unknown[];
}

test('what is laid over an example replaces members at every depth, and lists in whole', () => {
  const lines = [{ sku: 'tea' }];
  const plain = example<Cancelled>('order.cancelled');
  const cancelled = example<Cancelled>('order.cancelled', { lines, cancellation: { code: 'DEADLINE' } });
  const { detail } = plain.cancellation;
  expect(cancelled).toEqual({ ...plain, lines, cancellation: { code: 'DEADLINE', detail } });
  expect(cancelled.lines).not.toBe(lines);
});

test('a test may change its copy', () => {
  example<Cancelled>('order.cancelled').cancellation.code = 'CHANGED';
  expect(example<Cancelled>('order.cancelled').cancellation.code).not.toBe('CHANGED');
});

test('a type that nobody publishes has none', () => {
  expect(() => example('order.eaten')).toThrow('order.eaten');
});
