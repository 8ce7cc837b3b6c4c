import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { until } from '../../../tests/conformance/until.ts';
import { Metrics } from '../http/metrics.ts';
import { type FakeSidecar, startFakeSidecar } from '../testing/fake-sidecar.ts';
import { Cache } from './cache.ts';

let fake: FakeSidecar;
let made: number;
let metrics: Metrics;
beforeEach(async () => {
  fake = await startFakeSidecar();
  made = 0;
  metrics = new Metrics();
});
afterEach(() => fake.close());

const make = async () => ({ made: ++made });
/** Values are kept behind the caller's back. */
const kept = (key: string) => until(() => fake.peek('cache', key) !== undefined);
/** On a busy machine a fake may take its time. */
const patient = { timeout: 5_000 };
const outcomes = (outcome: string) =>
  Number(new RegExp(`cache_reads_total\\{outcome="${outcome}"\\} (\\d+)`).exec(metrics.render())?.[1] ?? 0);

test('a value is made once and read from then on, for its time', async () => {
  const cache = new Cache(fake.client, { ...patient, seconds: 1, metrics });
  expect(await cache.through('a', make)).toEqual({ made: 1 });
  await kept('a');
  expect(await cache.through('a', make)).toEqual({ made: 1 });
  expect(await cache.through('b', make)).toEqual({ made: 2 });
  expect([outcomes('hit'), outcomes('miss')]).toEqual([1, 2]);
  await until(async () => (await cache.through('a', make)).made === 3);
});

test('who asks at the same time gets the same; a fault is nobody else’s for longer', async () => {
  const cache = new Cache(fake.client, patient);
  const answers = await Promise.all([cache.through('a', make), cache.through('a', make)]);
  expect(answers).toEqual([{ made: 1 }, { made: 1 }]);
  const fails = () => Promise.reject(new Error('no database'));
  await expect(cache.through('b', fails)).rejects.toThrow('no database');
  expect(await cache.through('b', make)).toEqual({ made: 2 });
});

test.each([
  ['answers faults', () => ({ status: 500, body: { errorCode: 'ERR_STATE_GET' } })],
  ['is not there', () => ({ status: 400, body: { errorCode: 'ERR_STATE_STORE_NOT_FOUND' } })],
  ['breaks off', () => 'break' as const],
  ['answers no JSON', () => ({ status: 200, body: 'half of' })],
  ['does not answer', () => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 2_000).unref())],
])('a cache that %s costs a moment, and is left alone for a while', async (_, answer) => {
  const cache = new Cache(fake.client, { timeout: 40, rest: 60_000, metrics });
  fake.intercept = answer;
  const started = performance.now();
  for (let n = 1; n <= 20; n += 1) expect(await cache.through('a', make)).toEqual({ made: n });
  expect(performance.now() - started).toBeLessThan(1_500);
  expect(fake.calls).toHaveLength(1);
  expect([outcomes('failed'), outcomes('skipped')]).toEqual([1, 19]);
});

test('a cache that is well again is used again', async () => {
  const cache = new Cache(fake.client, { ...patient, rest: 0 });
  fake.intercept = () => 'break';
  expect(await cache.through('a', make)).toEqual({ made: 1 });
  await until(() => fake.calls.length === 2); // the read and the save
  fake.intercept = undefined;
  expect(await cache.through('a', make)).toEqual({ made: 2 });
  await kept('a');
  expect(await cache.through('a', make)).toEqual({ made: 2 });
});

test('a sidecar keeps no more than a bound, and nothing large', async () => {
  const cache = new Cache(fake.client, { ...patient, most: 2 });
  await cache.through('large', async () => ({ text: 'x'.repeat(20_000) }));
  for (const key of ['a', 'b', 'c']) await cache.through(key, make);
  await Promise.all(['a', 'b'].map(kept));
  await cache.through('d', make);
  expect(fake.keys('cache').sort()).toEqual(['a', 'b']);
});
