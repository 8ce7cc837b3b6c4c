// A failed episode once more, with fewer orders if it fails with fewer, and what happened to the order concerned.
import type { Violation } from '../invariants/violation.ts';
import { type EpisodeResult, runEpisode, tell } from './episode.ts';
import { seedOf } from './random.ts';

/** Orders of the episodes that are tried, smallest first. */
const SIZES = [5, 20, 60, 150, 400];
/** Seeds beside the failed one that are tried with each size. */
const OTHERS = 3;
/** Lines of a timeline. */
const MOST_LINES = 150;

export interface Reproduction {
  readonly seed: number;
  readonly orders: number;
  readonly words: string;
}

/** The smallest failing episode that is found, in words; undefined when nothing fails any more. */
export async function reproduce(
  { seed, orders }: Pick<EpisodeResult, 'seed' | 'orders'>,
  sizes: readonly number[] = [...SIZES.filter((size) => size < orders), orders],
): Promise<Reproduction | undefined> {
  for (const size of sizes) {
    for (let other = 0; other <= (size < orders ? OTHERS : 0); other += 1) {
      const tried = other === 0 ? seed : seedOf(seed, other);
      const result = await runEpisode({ seed: tried, orders: size, trace: true });
      const [first] = result.violations;
      if (first) return { seed: tried, orders: size, words: words(result, first) };
    }
  }
  return undefined;
}

function words({ seed, orders, violations, trace }: EpisodeResult, first: Violation): string {
  const subject = first.orderId ?? first.subject.replace(/@\d+$/, '');
  const about = trace.filter((line) => line.includes(subject) || / (dies|starts)\b/.test(line));
  const shown =
    about.length > MOST_LINES ? [...about.slice(0, MOST_LINES), `and ${about.length - MOST_LINES} more`] : about;
  return [
    `Comes again with: npm run simulate -- --episode ${seed} --orders ${orders}`,
    tell(violations),
    `Timeline of ${subject} (seconds of simulated time; calls of the sidecars in the order of their arrival):`,
    ...shown.map((line) => `  ${line.length > 300 ? `${line.slice(0, 300)}...` : line}`),
  ].join('\n');
}
