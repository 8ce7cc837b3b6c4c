// What the seeds found, as tables for a person and as JSON for a machine.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { addCoverage, type Coverage, emptyCells, emptyCoverage, steps } from './coverage.ts';
import { type Recovery, recoveryOf } from './recovery.ts';
import type { SeedReport } from './seed.ts';

export interface ChaosReport {
  readonly startedAt: string;
  readonly broker: string;
  readonly seeds: readonly SeedReport[];
  readonly coverage: Coverage;
  readonly emptyCells: readonly string[];
  /** From the healing to the end, over the orders that were open then in all seeds; seconds. */
  readonly recovery: Recovery;
  readonly findings: number;
}

export function reportOf(startedAt: string, broker: string, seeds: readonly SeedReport[]): ChaosReport {
  const coverage = emptyCoverage();
  for (const seed of seeds) addCoverage(coverage, seed.coverage);
  return {
    ...{ startedAt, broker, seeds, coverage },
    emptyCells: emptyCells(coverage),
    recovery: recoveryOf(seeds.flatMap(({ open }) => open)),
    findings: seeds.reduce((sum, { findings }) => sum + findings.length, 0),
  };
}

/** A seed in a few lines: how its orders ended, how fast, and everything that is wrong. */
export function describeSeed({
  seed,
  took,
  outcomes,
  disturbances,
  open,
  findings,
  timelines,
  dataDir,
}: SeedReport): string {
  const { orders, p50, p99, max } = recoveryOf(open);
  const ends = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
  return [
    `seed ${seed}: ${findings.length === 0 ? 'all holds' : `${findings.length} FOUND`}, ${disturbances.length} faults, ${took.toFixed(0)} s`,
    `  orders    ${ends.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`,
    `  recovery  ${orders} open when faults were healed: p50 ${p50.toFixed(1)} s, p99 ${p99.toFixed(1)} s, max ${max.toFixed(1)} s`,
    ...findings
      .slice(0, 20)
      .map(
        ({ invariant, orderId, subject, what }) =>
          `  ${invariant.padEnd(8)}  ${orderId ? `order ${orderId}: ` : ''}${subject}: ${what}`,
      ),
    ...(findings.length > 20 ? [`  and ${findings.length - 20} more`] : []),
    ...timelines,
    ...(dataDir ? [`  data and logs  ${dataDir}`] : []),
  ].join('\n');
}

/** One row for each process, one column for each step; the count is of orders met there, `.` is none. */
export function describeCoverage(coverage: Coverage): string {
  const letters = steps.map((_, index) => String.fromCharCode(65 + index));
  const width = Math.max(...Object.keys(coverage).map((name) => name.length));
  const row = (name: string, cells: readonly string[]) =>
    `  ${name.padEnd(width)} ${cells.map((cell) => cell.padStart(5)).join('')}`;
  return [
    'orders that were in a step of the saga while a process was disturbed',
    row('', letters),
    ...Object.entries(coverage).map(([name, cells]) =>
      row(
        name,
        steps.map((step) => String(cells[step.name] || '.')),
      ),
    ),
    ...steps.map(({ name }, index) => `  ${letters[index]} ${name}`),
  ].join('\n');
}

export function describeRun({ broker, seeds, coverage, emptyCells: empty, recovery, findings }: ChaosReport): string {
  const orders = seeds.flatMap(({ outcomes }) => Object.values(outcomes)).reduce((sum, count) => sum + count, 0);
  const faults = seeds.reduce((sum, { disturbances }) => sum + disturbances.length, 0);
  const { p50, p99, max } = recovery;
  return [
    describeCoverage(coverage),
    `${seeds.length} seeds on ${broker}: ${orders} orders, ${faults} faults, ${findings} violations, ${empty.length} empty cells`,
    `healed -> all final: ${recovery.orders} orders, p50 ${p50.toFixed(1)} s, p99 ${p99.toFixed(1)} s, max ${max.toFixed(1)} s`,
  ].join('\n');
}

export function writeReport(file: string, report: ChaosReport): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

/** What {@link writeReport} wrote. */
export function readReport(file: string): ChaosReport {
  return JSON.parse(readFileSync(file, 'utf8')) as ChaosReport;
}
