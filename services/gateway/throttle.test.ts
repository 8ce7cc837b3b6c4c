import { describe, expect, test } from '@jest/globals';
import { Throttle } from './throttle.ts';

const start = Date.now();

/** A service that takes `capacity` commands a second and refuses the rest, under `offered` a second. */
function world() {
  let now = start;
  let named = 0;
  const throttle = new Throttle(() => new Date(now));
  return {
    throttle,
    run({ offered, capacity, seconds }: { offered: number; capacity: number; seconds: number }) {
      const count = { taken: 0, refusedByService: 0, refusedHere: 0 };
      let free = 0;
      for (let n = 0; n < offered * seconds; n += 1) {
        now += 1_000 / offered;
        free = Math.min(free + capacity / offered, capacity / 10);
        const command = `command ${named++}`;
        if (!throttle.admits(command)) {
          count.refusedHere += 1;
          continue;
        }
        const taken = free >= 1;
        if (taken) free -= 1;
        throttle.heard(command, !taken);
        count[taken ? 'taken' : 'refusedByService'] += 1;
      }
      return count;
    },
  };
}

describe('a throttle', () => {
  test('lets everything in while nothing is refused', () => {
    expect(world().run({ offered: 50, capacity: 100, seconds: 20 })).toMatchObject({
      refusedByService: 0,
      refusedHere: 0,
    });
  });

  test('keeps the excess away, and the service busy', () => {
    const { run } = world();
    run({ offered: 200, capacity: 100, seconds: 10 });
    const { taken, refusedByService, refusedHere } = run({ offered: 200, capacity: 100, seconds: 20 });
    expect(taken).toBeGreaterThan(0.97 * 100 * 20);
    expect(refusedByService).toBeLessThan(0.25 * 100 * 20);
    expect(refusedHere).toBeGreaterThan(0.75 * 100 * 20);
  });

  test('is open again soon after the flood', () => {
    const { run } = world();
    run({ offered: 300, capacity: 100, seconds: 30 });
    run({ offered: 80, capacity: 100, seconds: 10 });
    expect(run({ offered: 80, capacity: 100, seconds: 10 })).toMatchObject({ refusedHere: 0 });
  });

  test('lets in again what it let in before', () => {
    const { throttle } = world();
    throttle.heard('mine', false);
    for (let n = 0; n < 300; n += 1) throttle.heard(`other ${n}`, true);
    const strangers = Array.from({ length: 50 }, (_, n) => throttle.admits(`new ${n}`));
    expect(strangers.filter((admitted) => admitted).length).toBeLessThan(10);
    expect(Array.from({ length: 50 }, () => throttle.admits('mine'))).not.toContain(false);
  });

  test('forgets what it knew about a quiet service', () => {
    let now = start;
    const throttle = new Throttle(() => new Date(now));
    for (let n = 0; n < 100; n += 1) throttle.heard(`command ${n}`, true);
    now += 60_000;
    expect(Array.from({ length: 50 }, (_, n) => throttle.admits(`new ${n}`))).not.toContain(false);
  });
});
