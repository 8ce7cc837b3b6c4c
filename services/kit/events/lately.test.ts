import { expect, test } from '@jest/globals';
import type { StreamDocument } from './document.ts';
import { Lately } from './lately.ts';

const LARGEST = 390_000;
const document = (key: string, version = 1) => ({ key, version }) as StreamDocument;

test('what was written last is remembered, and counts once', () => {
  const lately = new Lately();
  for (let version = 1; version <= 40; version += 1) lately.note([document('a', version)], LARGEST);
  lately.note([document('b')], LARGEST);
  expect([lately.get('a')?.version, lately.get('b')?.version]).toEqual([40, 1]);
});

test('large documents are forgotten by their size, oldest first', () => {
  const lately = new Lately();
  for (let n = 0; n < 30; n += 1) lately.note([document(`${n}`)], LARGEST);
  const known = Array.from({ length: 30 }, (_, n) => lately.get(`${n}`) !== undefined);
  expect(known).toEqual([...Array(10).fill(false), ...Array(20).fill(true)]);
});

test('small ones all stay', () => {
  const lately = new Lately();
  lately.note(
    Array.from({ length: 1_000 }, (_, n) => document(`${n}`)),
    4_000_000,
  );
  expect(lately.get('0')).toBeDefined();
});
