// The kit's cache on what the cloud profile puts below it: Redis may die, hang and come back, and so may it be missing.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Cache } from '#kit/dapr/cache';
import { redisProcess } from '../../../stack/redis.ts';
import { type App, type Bench, startBench } from '../harness.ts';
import { freePort } from '../ports.ts';
import { Process } from '../process.ts';
import { toolPath } from '../programs.ts';
import { repositoryComponent } from '../resources.ts';
import { until } from '../until.ts';

let bench: Bench;
let redis: Process;
let resources: string[];
let app: App;
beforeAll(async () => {
  bench = await startBench({ broker: false });
  const port = await freePort();
  const program = toolPath('redis-server');
  redis = new Process(redisProcess({ program, dataDir: bench.folder, port, logFile: '', env: {} }));
  await redis.start();
  resources = [repositoryComponent('cache', { REDIS_PORT: String(port) }, { profile: 'cloud' })];
  app = await bench.app({ appId: 'product', resources });
});
afterAll(async () => {
  await bench?.stop();
  await redis?.kill();
});

let made = 0;
const make = async () => ({ made: ++made });
/** True once the value comes from the cache. */
const isKept = async (cache: Cache, key: string) => {
  const before = made;
  await cache.through(key, make);
  return made === before;
};
/** Milliseconds that so many reads take. */
const timed = async (reads: number, cache: Cache) => {
  const started = performance.now();
  for (let n = 0; n < reads; n += 1) await cache.through('a', make);
  return performance.now() - started;
};

test('keeps a value for all replicas until its time is over', async () => {
  const other = await bench.app({ appId: 'product', resources });
  const caches = [app, other].map(({ sidecar }) => new Cache(sidecar, { seconds: 2, timeout: 1_000 }));
  const [first, second] = caches as [Cache, Cache];
  await until(() => isKept(first, 'shared'));
  expect(await isKept(second, 'shared')).toBe(true);
  await until(async () => !(await isKept(second, 'shared')));
  await other.stop();
});

test('a killed one costs a moment, and comes back empty', async () => {
  const cache = new Cache(app.sidecar, { rest: 500 });
  await until(() => isKept(cache, 'a'));
  await redis.kill();
  const before = made;
  expect(await timed(100, cache)).toBeLessThan(1_000);
  expect(made - before).toBe(100);
  await redis.start();
  await until(() => isKept(cache, 'a'));
});

test('one that hangs costs its time-out, and then nothing for a while', async () => {
  const cache = new Cache(app.sidecar, { timeout: 50, rest: 60_000 });
  await until(() => isKept(cache, 'a'));
  process.kill(Number(redis.pid), 'SIGSTOP');
  try {
    expect(await timed(100, cache)).toBeLessThan(500);
  } finally {
    process.kill(Number(redis.pid), 'SIGCONT');
  }
});

test('a sidecar starts and works without it', async () => {
  await redis.kill();
  const alone = await bench.app({ appId: 'product', resources });
  const cache = new Cache(alone.sidecar, { rest: 0 });
  expect(await cache.through('a', make)).toEqual({ made });
  await alone.stop();
});
