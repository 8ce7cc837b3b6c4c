import { expect, test } from '@jest/globals';
import { Day, Instant, TimeZone } from './time.ts';

const takes = (schema: { safeParse(value: unknown): { success: boolean } }, text: string) =>
  schema.safeParse(text).success;

test('an instant is one that every store can hold', () => {
  for (const good of ['2026-11-23T09:00:00Z', '1999-12-31T23:59:59.999Z', '2026-11-23T09:00:00.123456Z']) {
    expect([good, takes(Instant, good)]).toEqual([good, true]);
  }
  for (const bad of [
    '0000-01-01T00:00:00Z',
    '2026-11-23T09:00:00.1234567890Z',
    '2026-11-23T09:00:00+01:00',
    '2026-11-23',
  ]) {
    expect([bad, takes(Instant, bad)]).toEqual([bad, false]);
  }
  expect(takes(Day, '2026-02-28')).toBe(true);
  expect(takes(Day, '2026-02-30')).toBe(false);
  expect(takes(Day, '0000-01-01')).toBe(false);
});

test('a time zone means the same to every part', () => {
  for (const good of ['UTC', 'Europe/Rome', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5']) {
    expect([good, takes(TimeZone, good)]).toEqual([good, true]);
  }
  for (const bad of ['BST', 'MIT', 'ECT', 'US/Pacific-New', 'Mars/Olympus', '+01:00', '']) {
    expect([bad, takes(TimeZone, bad)]).toEqual([bad, false]);
  }
});
