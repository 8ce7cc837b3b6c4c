import { describe, expect, test } from '@jest/globals';
import { StackError } from './errors.ts';
import { parseOptions } from './options.ts';

describe('the command line', () => {
  test('without options', () => {
    expect(parseOptions([])).toEqual({
      profile: 'local',
      base: 8000,
      only: [],
      replicas: {},
      fresh: false,
      help: false,
    });
  });

  test('with all of them', () => {
    const args = '--base 9000 --only order,auth --replicas order=2,inventory=3 --data /d --profile cloud --fresh'.split(
      ' ',
    );
    expect(parseOptions(args)).toEqual({
      ...{ profile: 'cloud', base: 9000, only: ['order', 'auth'], fresh: true, help: false, dataDir: '/d' },
      replicas: { order: 2, inventory: 3 },
    });
  });

  test.each(['--bse 1', '--base x', '--replicas order', '--replicas order=0', 'order'])('refuses %s', (args) => {
    expect(() => parseOptions(args.split(' '))).toThrow(StackError);
  });
});
