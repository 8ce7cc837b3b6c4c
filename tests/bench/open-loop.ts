// Orders that arrive at fixed times, whatever becomes of them: what a customer sees at half the peak, and at twice.
import { median } from './figures.ts';
import { type Bench, compare, type Row } from './rounds.ts';

export interface OpenLoop {
  /** Confirmed orders per second that the system reaches with the most clients. */
  readonly peak: number;
  /** Half the system's peak, on the system and on the chain. */
  readonly half: Row;
  /** Twice the system's peak, on the system alone. */
  readonly overload: Row;
}

/** Enough for a p99, unless that takes too long. */
const SAMPLES = 1_100;
const LONGEST = 90;
/** Queues have to fill before the door closes: a short flood is only late. Seconds. */
const OVERLOADED = 30;

/** Measures around the peak of a closed loop. A chain has no door to close: it is not overloaded. */
export async function openLoop(bench: Bench, closed: Row): Promise<OpenLoop> {
  const peak = median(closed.ours.map(({ rate }) => rate));
  const { seconds } = bench.options;
  const half = await compare(bench, 'checkout-1', {
    rate: peak / 2,
    seconds: Math.min(LONGEST, Math.max(seconds, Math.ceil(SAMPLES / (peak / 2)))),
  });
  const ours = bench.subjects.filter(({ name }) => name === 'ours');
  const overload = await compare(bench, 'checkout-1', { rate: peak * 2, seconds: Math.max(seconds, OVERLOADED) }, ours);
  return { peak, half, overload };
}

/** What the table of all rows does not say. */
export function openLoopText({ peak, overload }: OpenLoop): string {
  const lines = overload.ours.map(({ rate, refusedLatency, refused, late }) => {
    const share = `${rate.toFixed(1)}/s confirmed in time, ${(rate / peak).toFixed(2)} of the peak of ${peak.toFixed(1)}/s`;
    const refusals = `${refused} refused in p50 ${refusedLatency.p50.toFixed(0)} ms, ${tail(refusedLatency)}`;
    return `overload, ${overload.load}: ${share}; ${refused > 0 ? refusals : 'none refused'}; ${late} late`;
  });
  return lines.join('\n');
}

function tail({ p99, p90, max }: { p99?: number; p90?: number; max: number }): string {
  if (p99 !== undefined) return `p99 ${p99.toFixed(0)} ms`;
  return p90 === undefined ? `at most ${max.toFixed(0)} ms` : `p90 ${p90.toFixed(0)} ms`;
}
