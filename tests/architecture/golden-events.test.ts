// Golden events: each contract shows what was published under it. Topics are kept for ever, so what was once true of an
// event has to stay true: examples may be added, and what is written down in `golden-events.json` must still be there.
import { describe, expect, test } from '@jest/globals';
import { Contracts } from '../../services/kit/events/contracts.ts';
import { hashOf } from '../../services/kit/ids.ts';
import { files, read } from './sources.ts';

const RECORD = 'tests/architecture/golden-events.json';
/** By `<type>.v<n>`, the hashes of its examples. */
const golden = JSON.parse(read(RECORD)) as Readonly<Record<string, readonly string[]>>;

const contracts = files
  .filter((path) => /^services\/[^/]+\/contracts\/.+\.json$/.test(path))
  .map((path) => {
    const { $id, examples = [] } = JSON.parse(read(path)) as { $id: string; examples?: readonly unknown[] };
    return { name: $id, examples, hashes: examples.map((each) => hashOf(each).slice(0, 12)) };
  });

describe.each(contracts)('$name', ({ name, examples, hashes }) => {
  test('has examples, and each keeps it', () => {
    const [, type = '', version] = /^(.+)\.v(\d+)$/.exec(name) ?? [];
    const checks = new Contracts();
    expect(examples.length).toBeGreaterThan(0);
    for (const each of examples) expect(() => checks.check(type, Number(version), each)).not.toThrow();
  });

  test(`has every example that ${RECORD} names, and each of its own is named there`, () => {
    expect({ [name]: golden[name] }).toEqual({ [name]: hashes });
  });
});

test('no contract was taken away', () => {
  expect(Object.keys(golden).filter((name) => !contracts.some((each) => each.name === name))).toEqual([]);
});
