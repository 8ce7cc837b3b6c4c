// `npm run bench`: what an order and the usual reads cost, beside a bare chain of sidecars in the same run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mesh } from '../../stack/mesh.ts';
import { startChain } from './chain/subject.ts';
import { conditionsIn } from './conditions.ts';
import { type History, history, historyText } from './history.ts';
import { runLoad } from './load.ts';
import { type Aged, age, type Soak, soak, soakRows } from './long-run.ts';
import { memoryOf } from './memory.ts';
import { type OpenLoop, openLoop, openLoopText } from './open-loop.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { type Bench, compare, MOST_OTHERS, progress, type Row } from './rounds.ts';
import type { Subject } from './subject.ts';
import { startSystem } from './system.ts';
import { conditionsText, details, hotShare, summary, table } from './tables.ts';
import { idleCoresOf } from './window.ts';

const say = (text = '') => process.stdout.write(`${text}\n`);

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
  if (options.chain && !options.soak && !options.history) {
    progress('starting the bare chain');
    subjects.push(await startChain(join(folder, 'chain'), onStart));
  }
  await warmUp(subjects, options);
  const idle = new Map<Subject, number>();
  for (const subject of subjects) idle.set(subject, await idleCoresOf(subject, 5));
  say(subjects.map((subject) => `idle, ${subject.name}: ${idle.get(subject)?.toFixed(3)} cores`).join('; '));

  const bench: Bench = { options, subjects, idle };
  const report = { conditions, options, ...(await measured(bench)) };
  const memory = Object.fromEntries(subjects.map((subject) => [subject.name, memoryOf(subject)]));
  for (const [name, { total }] of Object.entries(memory)) say(`memory of ${name} after all this: ${total} MiB PSS`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ ...report, memory }, null, 2)}\n`);
  for (const subject of subjects) await subject.close();
  const soakFailed = 'soak' in report ? report.soak.failed : 0;
  return Math.max(verdict(report.rows, options), soakFailed > 0 ? 1 : 0);
}

async function lines(bench: Bench): Promise<{ rows: Row[]; openLoop?: OpenLoop; aged?: Aged }> {
  const { options } = bench;
  const rows: Row[] = [];
  const { seconds } = options;
  for (const line of options.lines) {
    for (const clients of options.clients) rows.push(await compare(bench, line, { clients, seconds }));
  }
  const peak = rows.filter(({ line }) => line === 'checkout-1').at(-1);
  for (const line of options.lines) {
    for (const rate of options.rates) rows.push(await compare(bench, line, { rate, seconds }));
  }
  const open = options.open && peak ? await openLoop(bench, peak) : undefined;
  if (open) rows.push(open.half, open.overload);
  const aged = options.long ? await age(bench, options.long) : undefined;
  if (aged) rows.push(aged.empty, aged.aged);
  say();
  for (const row of rows) say(details(row));
  say(summary(rows));
  for (const text of hotShare(rows)) say(text);
  if (open) say(openLoopText(open));
  return { rows, ...(open && { openLoop: open }), ...(aged && { aged }) };
}

function measured(bench: Bench) {
  const { soak, history } = bench.options;
  if (soak) return soakOnly(bench, soak);
  return history ? historyOnly(bench, history) : lines(bench);
}

async function historyOnly(bench: Bench, orders: number): Promise<{ rows: Row[]; history: History }> {
  const seen = await history(bench, orders);
  say(historyText(seen));
  return { rows: [], history: seen };
}

async function soakOnly(bench: Bench, minutes: number): Promise<{ rows: Row[]; soak: Soak }> {
  const seen = await soak(bench, minutes);
  say(`${seen.orders} orders in ${minutes} minutes, ${seen.failed} failed ${seen.firstError ?? ''}`);
  say(table(['MiB PSS', 'start', 'a third', 'end', 'growth since'], soakRows(seen)));
  return { rows: [], soak: seen };
}

async function warmUp(subjects: readonly Subject[], { warmUp: seconds }: Options): Promise<void> {
  for (const subject of subjects) {
    progress(`warming up ${subject.name}`);
    const operation = await subject.operation('checkout-1');
    const { firstError } = await runLoad({ clients: 8, seconds }, operation);
    if (firstError) throw new Error(`${subject.name} does not even warm up: ${firstError}`);
  }
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
  if (process.platform !== 'linux') throw new RangeError('The bench reads /proc: it needs Linux.');
  if (options.help) say(usage);
  // An interrupted run has clients that still try: they end here.
  else process.exit(await main(options));
} catch (error) {
  process.stderr.write(`${error instanceof RangeError ? `${error.message}\n\n${usage}` : (error as Error).stack}\n`);
  process.exit(2);
}
