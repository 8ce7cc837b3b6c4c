// `npm run bench`: what an order and the usual reads cost, beside a bare chain of sidecars in the same run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mesh } from '../../stack/mesh.ts';
import { startChain } from './chain/subject.ts';
import { conditionsIn } from './conditions.ts';
import { type Figures, figuresOf } from './figures.ts';
import { type Load, type Operation, runLoad } from './load.ts';
import { memoryOf } from './memory.ts';
import { type Options, parseOptions, usage } from './options.ts';
import type { Subject } from './subject.ts';
import { startSystem } from './system.ts';
import { conditionsText, details, type Row, summary } from './tables.ts';
import { idleCoresOf, measure } from './window.ts';

/** Cores that others may use during a window. */
const MOST_OTHERS = 0.1;

const say = (text = '') => process.stdout.write(`${text}\n`);
const progress = (text: string) => process.stderr.write(`${text}\n`);

interface Bench {
  readonly options: Options;
  readonly subjects: readonly Subject[];
  readonly idle: ReadonlyMap<Subject, number>;
}

async function main(options: Options): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'retail-bench-'));
  const meshes: Mesh[] = [];
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => reject(new Error(`${signal}: stopped before the end`)));
    }
  });
  try {
    return await Promise.race([run(options, folder, (mesh) => meshes.push(mesh)), interrupted]);
  } finally {
    await Promise.all(meshes.map((mesh) => mesh.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(options: Options, folder: string, onStart: (mesh: Mesh) => void): Promise<number> {
  const conditions = conditionsIn(folder);
  say(conditionsText(conditions));
  progress('starting the system');
  const subjects: Subject[] = [await startSystem(join(folder, 'system'), onStart)];
  if (options.chain) {
    progress('starting the bare chain');
    subjects.push(await startChain(join(folder, 'chain'), onStart));
  }
  await warmUp(subjects, options);
  const idle = new Map<Subject, number>();
  for (const subject of subjects) idle.set(subject, await idleCoresOf(subject, 5));
  say(subjects.map((subject) => `idle, ${subject.name}: ${idle.get(subject)?.toFixed(3)} cores`).join('; '));

  const bench = { options, subjects, idle };
  const rows: Row[] = [];
  for (const line of options.lines) {
    for (const clients of options.clients) {
      rows.push(await compare(bench, line, `${clients} clients`, { clients, seconds: options.seconds }));
    }
  }
  say();
  for (const row of rows) say(details(row));
  say(summary(rows));
  const memory = Object.fromEntries(subjects.map((subject) => [subject.name, memoryOf(subject)]));
  for (const [name, mib] of Object.entries(memory)) say(`memory of ${name} after all this: ${mib.total} MiB PSS`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ conditions, options, rows, memory }, null, 2)}\n`);
  for (const subject of subjects) await subject.close();
  return verdict(rows, options);
}

async function warmUp(subjects: readonly Subject[], { warmUp: seconds }: Options): Promise<void> {
  for (const subject of subjects) {
    progress(`warming up ${subject.name}`);
    const operation = subject.operation('checkout-1') as Operation;
    const { firstError } = await runLoad({ clients: 8, seconds }, operation);
    if (firstError) throw new Error(`${subject.name} does not even warm up: ${firstError}`);
  }
}

/** System and chain in turn, so that what changes on the machine meets both. */
async function compare(
  { options, subjects, idle }: Bench,
  line: Options['lines'][number],
  name: string,
  load: Load,
): Promise<Row> {
  const figures = { ours: [] as Figures[], chain: [] as Figures[] };
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const subject of subjects) {
      const operation = subject.operation(line);
      if (!operation) continue;
      const { result, window } = await measure(subject, subjects, idle.get(subject) ?? 0, () =>
        runLoad(load, operation),
      );
      const seen = figuresOf(result, window);
      figures[subject.name].push(seen);
      progress(
        `${line}, ${name}, ${subject.name} ${round}/${options.rounds}: ${seen.cpu.toFixed(2)} ms, ${seen.rate.toFixed(1)}/s, others ${seen.others.toFixed(2)} cores`,
      );
    }
  }
  return { line, load: name, ...figures };
}

/** 1 when something failed, or others were at work: such a run proves nothing. */
function verdict(rows: readonly Row[], { noisy }: Options): number {
  const all = rows.flatMap(({ ours, chain }) => [...ours, ...chain]);
  const failed = all.reduce((sum, each) => sum + each.failed, 0);
  const others = Math.max(0, ...all.map((each) => each.others));
  if (failed > 0) say(`${failed} operations failed`);
  if (others > MOST_OTHERS) {
    say(
      `${noisy ? 'WARNING' : 'REFUSED'}: others used up to ${others.toFixed(2)} cores during a window; ${MOST_OTHERS} are tolerated.`,
    );
    if (!noisy) say('End what else runs, and run it again; --noisy takes the figures all the same.');
  }
  return failed > 0 || (others > MOST_OTHERS && !noisy) ? 1 : 0;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) say(usage);
  else process.exitCode = await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof RangeError ? `${error.message}\n\n${usage}` : (error as Error).stack}\n`);
  process.exitCode = 2;
}
