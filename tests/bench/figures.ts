// From windows to figures: cost of an operation, rate, percentiles; the median of several windows.
import type { Load, LoadResult } from './load.ts';
import { besides } from './subject.ts';
import type { Window } from './window.ts';

/** One window of one subject on one line. CPU in milliseconds per operation that was done. */
export interface Figures {
  readonly done: number;
  readonly late: number;
  readonly refused: number;
  readonly failed: number;
  readonly firstError: string | undefined;
  /** Done in a second of the load's time. */
  readonly rate: number;
  /** Services, sidecars, broker and databases. */
  readonly cpu: number;
  readonly cpuOf: Readonly<Record<string, number>>;
  /** Load driver, card provider, mail sink. */
  readonly besides: Readonly<Record<string, number>>;
  /** Milliseconds. */
  readonly latency: Percentiles;
  readonly refusedLatency: Percentiles;
  /** Through sidecars, per operation. */
  readonly calls: Readonly<Record<string, number>>;
  /** Cores used by others during the window. */
  readonly others: number;
}

export interface Percentiles {
  readonly p50: number;
  /** A percentile of too few samples (fewer than 10 above it) is left out. */
  readonly p90?: number;
  readonly p99?: number;
  readonly max: number;
}

export function figuresOf(result: LoadResult, window: Window, load: Load): Figures {
  const { done, late, refused, failed, firstError } = result;
  // What is late is confirmed all the same, and has cost as much.
  const each = Math.max(1, done + late);
  const perOperation = [...window.cpu].map(([name, ms]) => [name, ms / each] as const);
  const counted = perOperation.filter(([name]) => !besides.has(name));
  return {
    ...{ done, late, refused, failed, firstError },
    rate: result.inTime / load.seconds,
    cpu: counted.reduce((sum, [, ms]) => sum + ms, 0),
    cpuOf: Object.fromEntries(counted),
    besides: Object.fromEntries([
      ['load driver', window.driver / each],
      ...perOperation.filter(([name]) => besides.has(name)),
    ]),
    latency: percentilesOf(result.latency),
    refusedLatency: percentilesOf(result.refusedLatency),
    calls: Object.fromEntries([...window.calls].map(([name, count]) => [name, count / each])),
    others: window.others,
  };
}

function percentilesOf(histogram: LoadResult['latency']): Percentiles {
  if (histogram.count === 0) return { p50: 0, max: 0 };
  const at = (percentile: number) => histogram.percentile(percentile) / 1_000;
  return {
    p50: at(50),
    ...(histogram.count >= 100 && { p90: at(90) }),
    ...(histogram.count >= 1_000 && { p99: at(99) }),
    max: histogram.max / 1_000,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The window that stands for several: the one with the median cost. */
export function typical(windows: readonly Figures[]): Figures | undefined {
  const sorted = [...windows].sort((a, b) => a.cpu - b.cpu);
  return sorted[(sorted.length - 1) >> 1];
}
