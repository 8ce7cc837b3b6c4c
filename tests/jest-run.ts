// Runs Jest, or another script, on this Node in a process of its own, and counts.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How many tests did what. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Runs Jest with these arguments; a run that ends without figures, without a test or after `minutes` has failed. */
export async function runJest(
  args: readonly string[],
  minutes: number,
  env: Record<string, string> = {},
): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'rings-'));
  const report = join(folder, 'report.json');
  try {
    const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
    const code = await runNode([...jest, '--json', '--outputFile', report, ...args], minutes, env);
    return tally(report, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Jest's own figures. */
function tally(report: string, code: number | null): Tally {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    return { passed: numPassedTests, failed: failed === 0 && (code !== 0 || numPassedTests === 0) ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

/** Runs a script on this Node; null: it took too long and was ended. */
export function runNode(
  args: readonly string[],
  minutes: number,
  env: Record<string, string> = {},
): Promise<number | null> {
  return new Promise((resolve) => {
    // Jest prints its report on stdout when asked for JSON, and what a person reads on stderr.
    const json = args.includes('--json');
    const stdio = ['ignore', json ? 'ignore' : 'inherit', 'inherit'] as const;
    const child = spawn(process.execPath, args, { stdio: [...stdio], env: { ...process.env, ...env } });
    const late = setTimeout(() => child.kill('SIGTERM'), minutes * 60_000);
    child.once('exit', (code) => {
      clearTimeout(late);
      resolve(code);
    });
  });
}
