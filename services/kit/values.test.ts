import { describe, expect, test } from '@jest/globals';
import { v5 } from 'uuid';
import { z } from 'zod';
import { ConfigError, Flag, Port, readConfig, Words } from './config.ts';
import { idOf, isUuid, NAMESPACE } from './ids.ts';
import { Amount, Currency, Quantity, total } from './money.ts';
import { Day, Instant, TimeZone } from './time.ts';

const takes = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

describe('settings', () => {
  const schema = z.object({ PORT: Port, ON: Flag.default(false), SHOPS: Words.default([]), KEY: z.string() });

  test('are read from text, and an empty one is not set', () => {
    const env = { PORT: '80', ON: 'true', SHOPS: 'a, b,,c', KEY: 'k', OTHER: 'x' };
    expect(readConfig(schema, env)).toEqual({ PORT: 80, ON: true, SHOPS: ['a', 'b', 'c'], KEY: 'k' });
    expect(readConfig(schema, { PORT: '80', ON: '', KEY: 'k' })).toMatchObject({ ON: false, SHOPS: [] });
  });

  test('that are wrong are all named, without their values', () => {
    const read = () => readConfig(schema, { PORT: '70000', ON: 'yes' });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/PORT is wrong.*ON is wrong.*KEY is not set/);
    expect(read).not.toThrow(/70000/);
  });
});

describe('an id made of a name', () => {
  test.each([['a'], ['order', 'o-1'], ['', ''], ['a|1:b', 'ü €']])('is the uuid v5 of %s %s', (...parts) => {
    const name = parts.map((part) => `${part.length}:${part}`).join('|');
    expect(idOf(...parts)).toBe(v5(name, NAMESPACE));
    expect(isUuid(idOf(...parts))).toBe(true);
  });

  test('tells where its parts end', () => {
    expect(idOf('a', 'bc')).not.toBe(idOf('ab', 'c'));
  });
});

describe('money', () => {
  test('is an exact integer', () => {
    for (const good of [0, 1, 2 ** 53 - 1]) expect(takes(Amount, good)).toBe(true);
    for (const bad of [-1, 0.5, 2 ** 53, '1', null, Number.NaN]) expect(takes(Amount, bad)).toBe(false);
    expect([takes(Quantity, 0), takes(Quantity, 1), takes(Quantity, 1.5)]).toEqual([false, true, false]);
  });

  test('has a currency of ISO 4217', () => {
    for (const good of ['USD', 'EUR', 'JPY']) expect(takes(Currency, good)).toBe(true);
    for (const bad of ['usd', 'US', 'USDX', 'ZZZ', 'XXX', 'DEM', '']) expect(takes(Currency, bad)).toBe(false);
  });

  test('adds up exactly or not at all', () => {
    expect(total([])).toBe(0);
    expect(
      total([
        [199, 2],
        [50, 1],
        [-8, 1],
      ]),
    ).toBe(440);
    expect(total([[2 ** 53 - 1, 1]])).toBe(2 ** 53 - 1);
    expect(
      total([
        [2 ** 53 - 1, 1],
        [1, 1],
      ]),
    ).toBeUndefined();
    expect(total([[2 ** 40, 2 ** 20]])).toBeUndefined();
  });
});

describe('time', () => {
  test('is UTC in text', () => {
    for (const good of ['2026-11-23T09:00:00Z', '2024-02-29T23:59:59.123456Z']) expect(takes(Instant, good)).toBe(true);
    for (const bad of ['2026-11-23', '2026-11-23T09:00:00', '2026-11-23T09:00:00+01:00', '2026-02-30T00:00:00Z', 0]) {
      expect(takes(Instant, bad)).toBe(false);
    }
    expect([takes(Day, '2024-02-29'), takes(Day, '2023-02-29'), takes(Day, '2024-1-1')]).toEqual([true, false, false]);
  });

  test('has zones by their IANA names', () => {
    for (const bad of ['', 'Moon/Base', '+01:00', 'utc; drop']) expect(takes(TimeZone, bad)).toBe(false);
    for (const good of ['UTC', 'Europe/Rome']) expect(takes(TimeZone, good)).toBe(true);
  });
});
