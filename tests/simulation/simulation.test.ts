// A short simulation: thousands of orders, several seeds. Virtual time takes the timers of its thread, so it has a process.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const MAIN = join(import.meta.dirname, 'main.ts');

function simulate(...options: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', MAIN, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('close', (code) => resolve({ code, output }));
  });
}

test('every invariant holds, whatever goes wrong', async () => {
  expect(await simulate('--orders', '3000', '--size', '300', '--seed', '20')).toEqual({
    code: 0,
    output: expect.stringMatching(/^3000 orders in 10 episodes, .*: every invariant holds \(seed 20\)\n$/),
  });
}, 180_000);

test('the same seed is the same run', async () => {
  const figures = async () => (await simulate('--orders', '200', '--seed', '5')).output.replace(/in [\d.]+ s/, '');
  expect(await figures()).toEqual(await figures());
}, 180_000);
