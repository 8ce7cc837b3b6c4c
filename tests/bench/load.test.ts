import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { runLoad } from './load.ts';

describe('a closed loop', () => {
  it('has as many operations under way as clients, and waits for the last of them', async () => {
    let under = 0;
    let most = 0;
    const result = await runLoad({ clients: 3, seconds: 0.2 }, async () => {
      under += 1;
      most = Math.max(most, under);
      await pause(20);
      under -= 1;
      return 'done';
    });
    expect(most).toBe(3);
    expect(under).toBe(0);
    expect(result.done).toBeGreaterThan(3);
    expect(result.latency.count).toBe(result.done);
    expect(result.latency.min).toBeGreaterThan(15_000);
  });

  it('counts what comes after the end as done, and not as in time', async () => {
    const result = await runLoad({ clients: 2, seconds: 0.01 }, async () => {
      await pause(60);
      return 'done';
    });
    expect(result).toMatchObject({ done: 2, inTime: 0 });
  });

  it('tells refused, late and failed apart', async () => {
    let n = 0;
    const outcomes = ['done', 'refused', 'late'] as const;
    const result = await runLoad({ rate: 400, seconds: 0.01 }, async () => {
      const outcome = outcomes[n++];
      if (!outcome) throw new Error('broken');
      return outcome;
    });
    expect(result).toMatchObject({ done: 1, refused: 1, late: 1, failed: 1, firstError: 'Error: broken' });
    expect(result.latency.count).toBe(2);
    expect(result.refusedLatency.count).toBe(1);
  });
});

describe('an open loop', () => {
  it('starts operations when they are due, however long others take', async () => {
    let started = 0;
    const release = Promise.withResolvers<void>();
    const running = runLoad({ rate: 200, seconds: 0.1 }, async () => {
      started += 1;
      if (started === 20) release.resolve();
      await release.promise;
      return 'done';
    });
    expect((await running).done).toBe(20);
  });

  it('counts the time that an operation could not be started', async () => {
    // A stall of 150 ms right at the start: what was due meanwhile has waited, and that has to show.
    let first = true;
    const result = await runLoad({ rate: 100, seconds: 0.1 }, async () => {
      if (first) {
        first = false;
        const end = performance.now() + 150;
        while (performance.now() < end);
      }
      return 'done';
    });
    expect(result.done).toBe(10);
    expect(result.latency.percentile(50)).toBeGreaterThan(80_000);
  });
});
