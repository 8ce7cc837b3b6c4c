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
  const command = { id: 'id', hash: 'hash' };
  const answer = (run: number) => ({ run, replayed: false });

  test('runs the work once for all who ask meanwhile, and again afterwards', async () => {
    const joining = new Joining<ReturnType<typeof answer>>();
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const work = async () => {
      await gate.promise;
      return answer(++runs);
    };
    const asked = [1, 2, 3].map(() => joining.run(command, work));
    gate.resolve();
    expect(await Promise.all(asked)).toEqual([
      { run: 1, replayed: false },
      { run: 1, replayed: true },
      { run: 1, replayed: true },
    ]);
    expect(await joining.run(command, work)).toEqual({ run: 2, replayed: false });
  });

  test('refuses another payload under the same id', async () => {
    const joining = new Joining<ReturnType<typeof answer>>();
    const first = joining.run(command, async () => answer(1));
    const other = joining.run({ ...command, hash: 'other' }, async () => answer(2));
    expect(await other).toEqual({ refused: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await first).toEqual(answer(1));
  });

  test('gives everybody the refusal of the one that ran', async () => {
    const joining = new Joining<ReturnType<typeof answer>>();
    const refused = { refused: 'STOCK_INSUFFICIENT' };
    const both = [1, 2].map(() => joining.run(command, async () => refused));
    expect(await Promise.all(both)).toEqual([refused, refused]);
  });

  test('lets all fail with the one that failed, and forgets it', async () => {
    const joining = new Joining<ReturnType<typeof answer>>();
    const fails = async () => Promise.reject(new Error('no'));
    const both = await Promise.allSettled([joining.run(command, fails), joining.run(command, fails)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await joining.run(command, async () => answer(1))).toEqual(answer(1));
  });
});
