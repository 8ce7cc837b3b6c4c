import { expect, jest, test } from '@jest/globals';
import { silent } from '../log.ts';
import { sweep } from './sweep.ts';

test('a row that fails does not keep the others waiting', async () => {
  const done: string[] = [];
  const second = Promise.withResolvers<void>();
  const stop = sweep({
    name: 'letters',
    due: async () => ['a', 'b'],
    async run(letter) {
      if (letter === 'a') throw new Error('not this one');
      done.push(letter);
      second.resolve();
    },
    every: 1,
  })(silent);
  await second.promise;
  await stop();
  expect(done).toContain('b');
});

test('a look that fails is repeated', async () => {
  const again = Promise.withResolvers<void>();
  const due = jest.fn(async (): Promise<string[]> => {
    if (due.mock.calls.length === 1) throw new Error('the view is away');
    again.resolve();
    return [];
  });
  const stop = sweep({ name: 'nothing', due, run: async () => undefined, every: 1 })(silent);
  await again.promise;
  await stop();
});

test('stops after the command under way, and begins no other', async () => {
  const begun: string[] = [];
  const [first, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const stop = sweep({
    name: 'slow',
    due: async () => ['a', 'b'],
    async run(letter) {
      begun.push(letter);
      first.resolve();
      await gate.promise;
    },
    every: 1,
  })(silent);
  await first.promise;
  const stopped = stop();
  gate.resolve();
  await stopped;
  expect(begun).toEqual(['a']);
});
