// One word that checks all that needs no running system: format, lint, types, unit tests, architecture rules.
// `npm run verify`; a step alone: `node tests/verify.ts lint`. A step that fails shows its words, the others only their time.
import { spawn } from 'node:child_process';
import { root } from '../stack/layout.ts';
import { unitTests } from './unit-tests.ts';

const jest = ['--no-warnings', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js'];
const biome = 'node_modules/@biomejs/biome/bin/biome';

/** Node's arguments of each step, in the order of their cost. */
const steps: Readonly<Record<string, () => string[]>> = {
  format: () => [biome, 'format'],
  lint: () => [biome, 'lint', '--error-on-warnings', '--diagnostic-level=warn'],
  types: () => ['node_modules/typescript/bin/tsc', '-p', '.', '--noEmit'],
  unit: () => [...jest, '--runTestsByPath', ...unitTests()],
};

async function run(name: string, args: readonly string[]): Promise<boolean> {
  const started = performance.now();
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${code === 0 ? '✓' : '✗'} ${name.padEnd(8)}${seconds.padStart(6)} s`);
  if (code !== 0) console.log(complaints(output));
  return code === 0;
}

/** Without what passed, and without Jest's second telling of what failed. */
function complaints(output: string): string {
  const once = output.replace(/^Summary of all failing tests$[\s\S]*?(?=^Test Suites:)/m, '');
  return once.replace(/^(PASS|Ran all test suites) .*\n?/gm, '').trimEnd();
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in steps));
if (unknown !== undefined) {
  console.error(`There is no step "${unknown}"; there are ${Object.keys(steps).join(', ')}.`);
  process.exit(2);
}
const results: boolean[] = [];
for (const [name, args] of Object.entries(steps)) {
  if (wanted.length === 0 || wanted.includes(name)) results.push(await run(name, args()));
}
process.exit(results.every(Boolean) ? 0 : 1);
