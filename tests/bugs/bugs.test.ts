// The mistakes that `npm run bugs` makes can be made: each text is there once. A few of them are made here, too.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { root } from '../../stack/layout.ts';
import { bugs } from './bugs.ts';
import { patched } from './copy.ts';

describe.each(bugs)('$name', ({ patches, test: noticedBy }) => {
  test.each(patches)('can be made in $file', (patch) => {
    expect(patched(readFileSync(join(root, patch.file), 'utf8'), patch)).toContain(patch.put);
  });

  test('is looked for by a test that exists, or by the simulation', () => {
    if (noticedBy !== undefined) expect(readFileSync(join(root, noticedBy), 'utf8')).toContain('test(');
  });
});

test('there are enough of them', () => {
  expect(new Set(bugs.map(({ name }) => name)).size).toBeGreaterThanOrEqual(14);
});

/** Found within seconds; all of them: `npm run bugs`. */
const quick = ['publish before save', 'no cause document', 'one unit oversold', 'ledger without refunds'];

test('the quickest to find are found', async () => {
  const main = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, ['--no-warnings', main, ...quick], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/4 of 4 mistakes noticed\n$/) });
}, 180_000);
