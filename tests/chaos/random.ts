// Chance that can be had again: one generator for each use of a seed, so that one more draw here changes nothing there.

/** Numbers from 0 to below 1. */
export type Random = () => number;

/** mulberry32 (Tommy Ettinger, public domain) over a seed and what the numbers are for. */
export function randomOf(seed: number, use: string): Random {
  let state = [...use].reduce((hash, char) => Math.imul(hash ^ char.charCodeAt(0), 0x01000193), seed ^ 0x811c9dc5);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number from `low` to below `high`. */
export function between(random: Random, low: number, high: number): number {
  return low + random() * (high - low);
}

/** A whole number from `low` to `high`, both included. */
export function whole(random: Random, low: number, high: number): number {
  return Math.floor(between(random, low, high + 1));
}

export function pick<T>(random: Random, all: readonly T[]): T {
  const picked = all[Math.floor(random() * all.length)];
  if (picked === undefined) throw new RangeError('there is nothing to pick from');
  return picked;
}

/** A copy in another order (Fisher-Yates). */
export function shuffled<T>(random: Random, all: readonly T[]): T[] {
  const copy = [...all];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [copy[last], copy[other]] = [copy[other] as T, copy[last] as T];
  }
  return copy;
}
