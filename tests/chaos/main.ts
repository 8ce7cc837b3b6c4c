// `npm run chaos`: seeded storms over the whole mesh, each followed by every check there is.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findTool } from '../../stack/bootstrap/tools-folder.mjs';
import { root } from '../../stack/layout.ts';
import { describePlan, planSeed } from './plan.ts';
import { describeRun, describeSeed, readReport, reportOf, writeReport } from './report.ts';
import type { Broker } from './rig.ts';
import { runSeed, type SeedReport } from './seed.ts';

const usage = `npm run chaos -- [options]

  --seeds <n>      so many seeds in a row (default 1)
  --from <s>       the first of them (default 1)
  --beside <file>  counts the seeds of an earlier report, too: long runs can be played in parts
  --seed <s>       this one alone, again: the same plan with the same --minutes and --rate
  --minutes <m>    load and faults of each seed (default 3)
  --rate <r>       orders a second beside the bursts (default 3)
  --broker <b>     kfake (default) or kafka (Apache Kafka, installed when it is missing)
  --report <file>  where the JSON report goes (default .data/chaos/report.json)
  --plan           prints the plans and does nothing
  --keep           keeps the data of good seeds too

Ends with 1 when anything was violated, or when 20 seeds or more left a cell of the coverage table empty.`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    from: { type: 'string', default: '1' },
    beside: { type: 'string' },
    seed: { type: 'string' },
    minutes: { type: 'string', default: '3' },
    rate: { type: 'string', default: '3' },
    broker: { type: 'string', default: 'kfake' },
    report: { type: 'string', default: join(root, '.data', 'chaos', 'report.json') },
    plan: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** From so many seeds on every cell has to be filled. */
const FULL_COVERAGE_FROM = 20;

async function main(): Promise<number> {
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const [count, minutes, rate] = [positive('seeds'), positive('minutes'), positive('rate')];
  const from = positive('from');
  const seeds = values.seed === undefined ? Array.from({ length: count }, (_, n) => n + from) : [positive('seed')];
  const earlier = values.beside === undefined ? [] : readReport(values.beside).seeds;
  const broker = brokerOf(values.broker);
  const startedAt = new Date().toISOString();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));

  const reports: SeedReport[] = [];
  for (const seed of seeds) {
    if (stop.signal.aborted) break;
    const plan = planSeed(seed, { minutes, rate });
    console.log(describePlan(plan));
    if (values.plan) continue;
    const began = Date.now();
    const log = (line: string) => console.log(`  ${((Date.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
    const report = await runSeed(plan, { broker, log, keep: values.keep, signal: stop.signal });
    reports.push(report);
    console.log(describeSeed(report));
    if (report.findings.length > 0)
      console.log(
        `  again          npm run chaos -- --seed ${seed} --minutes ${minutes} --rate ${rate} --broker ${broker}`,
      );
    console.log();
  }
  if (values.plan) return 0;
  const report = reportOf(startedAt, broker, [...earlier, ...reports]);
  writeReport(values.report, report);
  console.log(describeRun(report));
  const incomplete = report.seeds.length >= FULL_COVERAGE_FROM && report.emptyCells.length > 0;
  if (incomplete) console.log(`empty cells: ${report.emptyCells.join(', ')}`);
  return report.findings > 0 || incomplete || stop.signal.aborted ? 1 : 0;
}

function brokerOf(name: string): Broker {
  if (name !== 'kfake' && name !== 'kafka') return refuse(`--broker is to be kfake or kafka, not ${name}`);
  if (name === 'kafka' && !values.plan && !findTool('kafka'))
    spawnSync(process.execPath, ['stack/start.mjs', '--prepare', '--tools', 'kafka'], { cwd: root, stdio: 'inherit' });
  return name;
}

function positive(name: 'seeds' | 'from' | 'seed' | 'minutes' | 'rate'): number {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  return refuse(`--${name} is to be a number above 0, not ${values[name]}`);
}

function refuse(why: string): never {
  console.error(`${why}\n\n${usage}`);
  process.exit(2);
}

process.exit(await main());
