import { describe, expect, test } from '@jest/globals';
import { commandId, Joining } from './idempotency.ts';

describe('a command id', () => {
  test('is one per route, caller and key, whatever stands in them', () => {
    const ids = [
      ['POST /a', 'x', 'k'],
      ['POST /b', 'x', 'k'],
      ['POST /a', 'y', 'k'],
      ['POST /a', 'x', 'l'],
      ['POST /a', 'x:k', ''],
      ['POST /a', 'x', 'k|1:k'],
    ].map(([route = '', caller = '', key = '']) => commandId(route, caller, key));
    expect(new Set(ids).size).toBe(ids.length);
    expect(commandId('POST /a', 'x', 'k')).toBe(ids[0]);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });
});

describe('joining', () => {
  test('runs the work once for all who ask meanwhile, and again afterwards', async () => {
    const joining = new Joining<number>();
    let runs = 0;
    const work = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return ++runs;
    };
    const answers = await Promise.all([1, 2, 3].map(() => joining.run('id', 'hash', work)));
    expect(answers).toEqual([
      { result: 1, joined: false },
      { result: 1, joined: true },
      { result: 1, joined: true },
    ]);
    expect(await joining.run('id', 'hash', work)).toEqual({ result: 2, joined: false });
  });

  test('refuses another payload under the same id', async () => {
    const joining = new Joining<number>();
    const first = joining.run('id', 'one', async () => 1);
    expect(await joining.run('id', 'two', async () => 2)).toEqual({ refused: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await first).toEqual({ result: 1, joined: false });
  });

  test('lets all fail with the one that failed, and forgets it', async () => {
    const joining = new Joining<number>();
    const fails = async () => Promise.reject(new Error('no'));
    const both = await Promise.allSettled([joining.run('id', 'h', fails), joining.run('id', 'h', fails)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await joining.run('id', 'h', async () => 1)).toEqual({ result: 1, joined: false });
  });
});
