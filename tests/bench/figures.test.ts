import { createHistogram } from 'node:perf_hooks';
import { describe, expect, it } from '@jest/globals';
import { type Figures, figuresOf, median, typical } from './figures.ts';
import { parseOptions } from './options.ts';
import { hotShare, summary } from './tables.ts';

const load = { clients: 8, seconds: 10 };

function resultOf(done: number, late = 0) {
  const latency = createHistogram();
  for (let n = 1; n <= done; n += 1) latency.record(n * 1_000);
  return {
    ...{ done, inTime: done, late, refused: 0, failed: 0, seconds: 10, firstError: undefined },
    ...{ latency, refusedLatency: createHistogram() },
  };
}

const window = {
  ...{ seconds: 12, driver: 50, others: 0.02, calls: new Map([['call to order', 100]]) },
  cpu: new Map([
    ['order', 300],
    ['order-dapr', 200],
    ['card-provider', 1_000],
  ]),
};

describe('the figures of a window', () => {
  it('are per operation, without those who are only stood in for', () => {
    const figures = figuresOf(resultOf(100), window, load);
    expect(figures).toMatchObject({ cpu: 5, rate: 10, cpuOf: { order: 3, 'order-dapr': 2 } });
    expect(figures.besides).toEqual({ 'load driver': 0.5, 'card-provider': 10 });
    expect(figures.calls).toEqual({ 'call to order': 1 });
  });

  it('count the work of orders that were late', () => {
    expect(figuresOf(resultOf(60, 40), window, load)).toMatchObject({ cpu: 5, rate: 6 });
  });

  it('have no percentile that too few samples would make up', () => {
    expect(figuresOf(resultOf(99), window, load).latency).not.toHaveProperty('p90');
    expect(figuresOf(resultOf(999), window, load).latency).not.toHaveProperty('p99');
    const { p99 = 0 } = figuresOf(resultOf(1_000), window, load).latency;
    expect(Math.round(p99 / 10)).toBe(99);
  });
});

const withCost = (cpu: number, rate = 1): Figures => ({ ...figuresOf(resultOf(1), window, load), cpu, rate });

describe('several windows', () => {
  it('are told by their median', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(typical([5, 1, 3].map((cpu) => withCost(cpu)))?.cpu).toBe(3);
  });

  it('are compared in pairs: what changed between rounds met both', () => {
    const row = {
      line: 'checkout-1',
      load: '8 clients',
      ours: [withCost(20), withCost(60)],
      chain: [withCost(10), withCost(30)],
    };
    expect(summary([row])).toMatch(/2\.00/);
  });

  it('show what a hot sku leaves of the rate', () => {
    const row = (line: string, rate: number) => ({ line, load: '8 clients', ours: [withCost(1, rate)], chain: [] });
    expect(hotShare([row('checkout-1', 100), row('hot-sku', 80)])).toEqual([expect.stringContaining('0.80')]);
  });
});

describe('the command line', () => {
  it('takes lines by a part of their name, and one of that name alone', () => {
    expect(parseOptions(['checkout']).lines).toEqual(['checkout-1', 'checkout-5', 'checkout-30']);
    expect(parseOptions(['checkout-1', '--clients', '1,2']).clients).toEqual([1, 2]);
    expect(parseOptions(['mail']).lines).toEqual(['mail']);
  });

  it.each([[['nothing']], [['--clients', '0']], [['--seconds', 'x']]])('refuses %j', (args) => {
    expect(() => parseOptions(args)).toThrow(RangeError);
  });
});
