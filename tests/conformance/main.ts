// `npm run conformance`: every component set against real processes, and the matrix of what they do.
// `-- --write` puts it into docs/conformance.md.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installTools } from '../../stack/bootstrap/tools.mjs';
import { findTool, type Tool } from '../../stack/bootstrap/tools-folder.mjs';
import { root } from '../../stack/layout.ts';
import { sources } from '../architecture/sources.ts';
import { type JestReport, matrix } from './matrix.ts';
import { apacheKafka } from './sets/apache-kafka.ts';
import { dynamodb } from './sets/dynamodb.ts';
import { kfake } from './sets/kfake.ts';
import { local } from './sets/local.ts';
import { postgresql } from './sets/postgresql.ts';
import { redis } from './sets/redis.ts';
import { type ComponentSet, titleOf } from './sets/set.ts';
import { sqlite } from './sets/sqlite.ts';

const stores = [sqlite, postgresql, dynamodb, redis];
const brokers = [kfake, apacheKafka];
const wholeSets: readonly ComponentSet[] = [
  local,
  { store: postgresql, broker: kfake },
  { store: dynamodb, broker: apacheKafka },
];

const SETS = 'tests/conformance/sets/';
/** The tool without which a set cannot be tested. */
const needs: Readonly<Record<string, Tool>> = {
  [`${SETS}dynamodb.ts`]: 'dynoxide',
  [`${SETS}redis.ts`]: 'redis-server',
  [`${SETS}apache-kafka.ts`]: 'kafka',
};

const { values: wanted } = parseArgs({ options: { write: { type: 'boolean', default: false } } });

const missing = await install();
const tests = sources.filter(
  ({ path, imports }) =>
    path.startsWith('tests/conformance/') &&
    path.endsWith('.test.ts') &&
    imports.some(({ target }) => target?.startsWith(SETS)) &&
    !imports.some(({ target }) => target !== undefined && missing.includes(needs[target] as Tool)),
);
const { report, code } = await run(tests.map(({ path }) => path));
const columns = {
  state: stores.map(({ title }) => title),
  broker: brokers.map(({ title }) => title),
  kit: wholeSets.map(titleOf),
};
const tables = matrix(report, columns);
console.log(`\n${tables}\n`);
if (missing.length > 0) console.log(`Left out, because it is not installed: ${missing.join(', ')}.`);
if (wanted.write && code === 0 && missing.length === 0) publish(tables);
else if (wanted.write) console.log('docs/conformance.md is left as it was: it takes a whole run without a failure.');
process.exitCode = code;

/** Installs what the sets need; answers what could not be. */
async function install(): Promise<Tool[]> {
  const tools = [...new Set(Object.values(needs))];
  for (const tool of tools) {
    await installTools([tool]).catch((error: Error) => console.log(`${tool}: ${error.message}`));
  }
  return tools.filter((tool) => findTool(tool) === undefined);
}

/** Runs Jest as the rings of `npm test` do, two files at a time. */
async function run(paths: readonly string[]): Promise<{ report: JestReport; code: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-run-'));
  const file = join(folder, 'report.json');
  try {
    const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '--maxWorkers=2'];
    const args = [...jest, '--json', '--outputFile', file, '--runTestsByPath', ...paths];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    const code = await new Promise<number>((resolve) => child.once('exit', (status) => resolve(status ?? 1)));
    return { report: JSON.parse(readFileSync(file, 'utf8')) as JestReport, code };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Puts the tables in the place of those of the last run; what is above the first heading of a table stays. */
function publish(text: string): void {
  const file = join(root, 'docs', 'conformance.md');
  const before = readFileSync(file, 'utf8');
  const [preface = ''] = before.split(/^## /m);
  const dated = preface.replace(/^Last run: .*$/m, `Last run: ${new Date().toISOString().slice(0, 10)}.`);
  writeFileSync(file, `${dated}${text}\n`);
}
