// `npm run bugs [-- name...]`: makes each mistake in a copy of the sources and sees who notices. Ends with 1 if one survives.
import { spawn } from 'node:child_process';
import { type Bug, bugs } from './bugs.ts';
import { type Copy, copySources } from './copy.ts';

/** Orders that the simulation has to find a mistake in; most are found within the first episode. */
const SIMULATION = ['tests/simulation/main.ts', '--orders', '6000', '--size', '300', '--threads', '1', '--brief'];
const JEST = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--forceExit'];
const AT_ONCE = 2;
/** Milliseconds. */
const PATIENCE = 900_000;

interface Verdict {
  readonly bug: Bug;
  /** Undefined: nobody noticed. */
  readonly caughtBy: string | undefined;
  readonly seconds: number;
  readonly output: string;
}

const wanted = process.argv.slice(2);
const chosen = bugs.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
const verdicts: Verdict[] = [];
const width = Math.max(...chosen.map(({ name }) => name.length));
const queue = [...chosen];
await Promise.all(Array.from({ length: Math.min(AT_ONCE, queue.length) }, work));
const missed = verdicts.filter(({ caughtBy }) => caughtBy === undefined);
console.log(`${verdicts.length - missed.length} of ${chosen.length} mistakes noticed`);
for (const { bug, output } of missed) console.log(`\n${bug.name} survived:\n${output}`);
process.exitCode = missed.length > 0 || chosen.length === 0 ? 1 : 0;

/** Takes bugs from the queue until it is empty, in a copy of its own. */
async function work(): Promise<void> {
  const copy = copySources();
  try {
    for (let bug = queue.shift(); bug; bug = queue.shift()) {
      const verdict = await judge(copy, bug);
      verdicts.push(verdict);
      const { caughtBy = 'NOBODY', seconds } = verdict;
      console.log(`${bug.name.padEnd(width)}  ${seconds.toFixed(1).padStart(6)} s  ${caughtBy}`);
    }
  } finally {
    copy.remove();
  }
}

async function judge(copy: Copy, bug: Bug): Promise<Verdict> {
  const started = performance.now();
  const args = bug.test === undefined ? SIMULATION : [...JEST, bug.test];
  let output: string;
  try {
    copy.apply(bug.patches);
    output = await run(copy.folder, args);
  } catch (error) {
    output = (error as Error).message;
  } finally {
    copy.restore(bug.patches);
  }
  return { bug, caughtBy: caughtBy(bug, output), seconds: (performance.now() - started) / 1_000, output };
}

/** A check has to say what it found: a program that does not even start has noticed nothing. */
function caughtBy({ test }: Bug, output: string): string | undefined {
  if (test !== undefined) {
    const [, failed] = /^\s+● (.+)$/m.exec(output) ?? [];
    return failed && /Tests:\s+\d+ failed/.test(output) ? `${test}: ${failed}` : undefined;
  }
  if (!output.includes('broke an invariant')) return undefined;
  const broken = [...output.matchAll(/^ {2}(I\d+) \(/gm)].map(([, invariant]) => invariant);
  const [, first] = /^ {5}(.*)$/m.exec(output) ?? [];
  return `simulation, ${[...new Set(broken)].join(' ')}: ${first?.slice(0, 110)}`;
}

function run(folder: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('close', () => {
      clearTimeout(late);
      resolve(output);
    });
  });
}
