import { expect, test } from '@jest/globals';
import { matrix } from './matrix.ts';

const check = (suite: string, title: string, status = 'passed', ...inner: string[]) => ({
  ancestorTitles: [suite, ...inner],
  title,
  status,
});
const report = (...assertionResults: ReturnType<typeof check>[]) => ({
  testResults: [{ name: 'x.test.ts', message: '', assertionResults }],
});

test('a row for each check, a cell for each set: passed, the value of a trait, failed, not asked', () => {
  const results = report(
    check('state: Two', 'a first write → 500', 'passed', 'guards'),
    check('state: Two', 'only here', 'failed', 'guards'),
    check('state: One', 'a first write → 409', 'passed', 'guards'),
    check('state: One', 'a | b', 'passed', 'values'),
    check('views', 'no part of a set'),
  );
  expect(matrix(results, { state: ['One', 'Two'] })).toBe(
    [
      '## State stores behind daprd',
      '',
      '| 3 checks | One | Two |',
      '| --- | --- | --- |',
      '| **guards** |  |  |',
      '| a first write | 409 | 500 |',
      '| only here | – | **failed** |',
      '| **values** |  |  |',
      '| a \\| b | ✓ | – |',
    ].join('\n'),
  );
});

test('the third part of a suite is a section; skipped tests and sets that were not asked for are left out', () => {
  const results = report(
    check('broker: B: outages', 'kept', 'passed'),
    check('broker: B: outages', 'not now', 'pending'),
    check('broker: C: outages', 'kept', 'passed'),
  );
  expect(
    matrix(results, { broker: ['B'] })
      .split('\n')
      .slice(4),
  ).toEqual(['| **outages** |  |', '| kept | ✓ |']);
});
