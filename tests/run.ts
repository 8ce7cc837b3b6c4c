// `npm test`: every ring, cheapest first, each with real parts from conformance on. Ends with "N passed, N failed".
import { runJest, runNode, type Tally } from './jest-run.ts';
import { processTests, unitTests } from './unit-tests.ts';

interface Ring {
  readonly name: string;
  readonly what: string;
  /** Minutes until the ring is ended as failed. */
  readonly minutes: number;
  /** A check that is one pass or one failure, or Jest's arguments. */
  readonly run: { readonly check: readonly string[] } | { readonly jest: readonly string[] };
}

const biome = ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'];

const rings: readonly Ring[] = [
  { name: 'format and lint', what: 'biome', minutes: 1, run: { check: biome } },
  { name: 'types', what: 'tsc', minutes: 1, run: { check: ['node_modules/typescript/bin/tsc', '-p', '.'] } },
  {
    name: 'unit and api',
    what: 'rules, routes, architecture; nothing but Node',
    minutes: 6,
    run: { jest: ['--runTestsByPath', ...unitTests()] },
  },
  {
    name: 'conformance',
    what: 'the kit, the runner, the simulators and single services against real daprd, broker and databases',
    minutes: 7,
    // They wait more than they work: two files at a time.
    run: { jest: ['--maxWorkers=2', '--runTestsByPath', ...processTests()] },
  },
  {
    name: 'acceptance',
    what: 'the whole mesh through its public API, then the invariants',
    minutes: 6,
    run: { jest: ['tests/acceptance'] },
  },
  {
    name: 'chaos',
    what: 'processes killed under load, then the invariants',
    minutes: 6,
    run: { jest: ['tests/chaos'] },
  },
];

const wanted = process.argv.slice(2);
const total = { passed: 0, failed: 0 };
const summary: string[] = [];
for (const ring of rings) {
  if (wanted.length > 0 && !wanted.some((word) => ring.name.includes(word))) continue;
  console.log(`\n== ${ring.name}: ${ring.what}`);
  const started = performance.now();
  const { passed, failed } = await play(ring);
  total.passed += passed;
  total.failed += failed;
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  summary.push(
    `${ring.name.padEnd(18)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed ${seconds.padStart(7)} s`,
  );
}
console.log(`\n${summary.join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

async function play({ run, minutes }: Ring): Promise<Tally> {
  if ('jest' in run) return runJest(run.jest, minutes);
  return (await runNode(run.check, minutes)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}
