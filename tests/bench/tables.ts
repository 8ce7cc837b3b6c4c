// The report as a person reads it.
import type { Conditions } from './conditions.ts';
import { type Figures, median, typical } from './figures.ts';
import type { Row } from './rounds.ts';

export function conditionsText({ at, machine, node, daprd, load, fdatasync }: Conditions): string {
  return `${at}  ${machine}\nnode ${node}, ${daprd}, load ${load.toFixed(1)}, fdatasync ${fdatasync.toFixed(2)} ms`;
}

const number = (value: number | undefined, digits = 1): string =>
  value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits);

/** One line per row: cost and rate of both, and their ratio as the median over the pairs of windows. */
export function summary(rows: readonly Row[]): string {
  const head = [
    ...['line', 'load', 'CPU ms/op', 'chain', 'ratio', 'op/s', 'chain', 'p50 ms', 'p99 ms', 'chain p50', 'chain p99'],
    ...['refused', 'failed', 'others'],
  ];
  const body = rows.map(({ line, load, ours, chain }) => {
    const [a, b] = [typical(ours), typical(chain)];
    const ratios = ours.flatMap(({ cpu }, index) => (chain[index] ? [cpu / chain[index].cpu] : []));
    const sum = (what: (figures: Figures) => number) => ours.reduce((total, each) => total + what(each), 0);
    return [
      ...[line, load, number(a?.cpu), number(b?.cpu), number(median(ratios), 2)],
      ...[number(a?.rate), number(b?.rate), number(a?.latency.p50, 0), number(a?.latency.p99, 0)],
      ...[number(b?.latency.p50, 0), number(b?.latency.p99, 0)],
      ...[String(sum((each) => each.refused)), String(sum((each) => each.failed))],
      number(Math.max(...[...ours, ...chain].map(({ others }) => others)), 2),
    ];
  });
  return table(head, body);
}

/** The rate with one sku in every order, as a share of that with orders spread out, for each load that has both. */
export function hotShare(rows: readonly Row[]): string[] {
  return rows.flatMap(({ line, load, ours }) => {
    const spread = rows.find((row) => row.line === 'checkout-1' && row.load === load);
    if (line !== 'hot-sku' || !spread) return [];
    const share = median(ours.map(({ rate }) => rate)) / median(spread.ours.map(({ rate }) => rate));
    return [`hot sku, ${load}: ${share.toFixed(2)} of the rate of orders that are spread out`];
  });
}

/** Where the CPU of an operation goes, and what goes through the sidecars: ours beside the chain's. */
export function details({ line, load, ours, chain }: Row): string {
  const [a, b] = [typical(ours), typical(chain)];
  if (!a) return '';
  const cpu = compared(a.cpuOf, b?.cpuOf, 0.005, 2);
  const beside = compared(a.besides, b?.besides, 0.005, 2);
  const calls = compared(a.calls, b?.calls, 0.02, 2);
  const errors = [...ours, ...chain].flatMap(({ firstError }) => firstError ?? []).slice(0, 3);
  return [
    `== ${line}, ${load}: CPU ms per operation by process (window of median cost; views caught up)`,
    table(['process', 'ours', 'chain'], [...cpu, ['all of these', number(a.cpu, 2), number(b?.cpu, 2)]]),
    table(['not counted', 'ours', 'chain'], beside),
    table(['per operation', 'ours', 'chain'], calls),
    ...errors.map((error) => `failed: ${error}`),
  ].join('\n');
}

type Parts = Readonly<Record<string, number>>;

function compared(ours: Parts, chain: Parts = {}, least: number, digits: number): string[][] {
  const names = [...new Set([...Object.keys(ours), ...Object.keys(chain)])];
  return names
    .map((name) => ({ name, a: ours[name] ?? 0, b: chain[name] ?? 0 }))
    .filter(({ a, b }) => a >= least || b >= least)
    .sort((x, y) => y.a - x.a)
    .map(({ name, a, b }) => [name, number(a, digits), Object.keys(chain).length > 0 ? number(b, digits) : '-']);
}

/** Columns in plain text, the first to the left. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line), ''].join('\n');
}
