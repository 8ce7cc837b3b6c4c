import { describe, expect, test } from '@jest/globals';
import { Limiter, limitHeaders, limits } from './limits.ts';

describe('a limiter', () => {
  const start = Date.now();

  test('gives the burst at once and the quota over time, to each for itself', () => {
    let now = start;
    const limiter = new Limiter(() => new Date(now));
    const granted = (who: string, tries: number) =>
      Array.from({ length: tries }, () => limiter.take('caller', who)).filter((taken) => taken.granted).length;
    expect(granted('a', 500)).toBe(limits.caller.burst);
    expect(granted('b', 10)).toBe(10);
    now += 500;
    expect(granted('a', 500)).toBe(100);
    now += 60_000;
    expect(granted('a', 500)).toBe(400);
  });

  test('gives nothing for a clock that runs backwards', () => {
    let now = start;
    const limiter = new Limiter(() => new Date(now));
    for (let i = 0; i < 10; i++) limiter.take('login', 'a');
    now -= 3_600_000;
    expect(limiter.take('login', 'a').granted).toBe(false);
  });

  test('says when the next token comes', () => {
    const limiter = new Limiter(() => new Date(start));
    const taken = Array.from({ length: 11 }, () => limiter.take('login', 'a'));
    expect(taken[0]).toEqual({ name: 'login', granted: true, left: 9, reset: 6 });
    expect(taken[10]).toEqual({ name: 'login', granted: false, left: 0, reset: 6 });
    expect(limitHeaders([taken[10] as never])).toEqual({
      'ratelimit-policy': '"login";q=10;w=60',
      ratelimit: '"login";r=0;t=6',
      'retry-after': '6',
    });
  });

  test('forgets who was quiet longest when there are too many', () => {
    const limiter = new Limiter(() => new Date(start));
    for (let i = 0; i < 10; i++) limiter.take('login', 'victim');
    for (let i = 0; i < 20_000; i++) limiter.take('caller', `other ${i}`);
    expect(limiter.take('login', 'victim').granted).toBe(true);
  });
});
