// The store commits, its answer never comes: what was saved is published all the same.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FakeStreams, startFakeStreams } from '../testing/fake-streams.ts';
import { type EventOf, type Origin, type StreamKind, streamOf } from './aggregate.ts';

const counters: StreamKind<number, EventOf<'order.placed', Record<string, never>>> = {
  name: 'counter',
  initial: 0,
  evolve: (count) => count + 1,
  retention: 'inline',
  topic: 'orders',
};
const origin: Origin = { actor: 'test', correlationId: 'c', causationId: 'x', traceparent: '' };

let world: FakeStreams;
let fake: FakeStreams['fake'];
let streams: FakeStreams['streams'];
beforeEach(async () => {
  world = await startFakeStreams();
  ({ fake, streams } = world);
});
afterEach(() => world.stop());

/** Lets the next transaction through and breaks the connection instead of answering. */
function loseTheNextAnswer(then: () => void): void {
  fake.intercept = async (_, path, body) => {
    if (!path.endsWith('/transaction')) return undefined;
    fake.intercept = undefined;
    const headers = { 'content-type': 'application/json' };
    await fetch(`http://127.0.0.1:${fake.port}${path}`, { method: 'POST', headers, body });
    then();
    return 'break';
  };
}

const count = () =>
  streams.execute({
    touch: [streamOf(counters, 'a')],
    origin,
    decide(desk) {
      const ref = streamOf(counters, 'a');
      if (desk.version(ref) === 0) desk.append(ref, { type: 'order.placed', data: {} });
    },
  });

async function untilPublished(): Promise<void> {
  const end = Date.now() + 5_000;
  while (fake.published.length === 0) {
    if (Date.now() > end) throw new Error('saved, but never published');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('when the repeat finds the work done', async () => {
  loseTheNextAnswer(() => undefined);
  await count();
  await untilPublished();
});

test('when the repeat cannot even read', async () => {
  loseTheNextAnswer(() => {
    fake.intercept = (_, path) => (path.includes('/state/') ? { status: 500 } : undefined);
  });
  await expect(count()).rejects.toThrow();
  fake.intercept = undefined;
  await untilPublished();
});

test('or it is refused, when it is carried out only after everybody has given up', async () => {
  let transaction: { path: string; body: string } | undefined;
  fake.intercept = (_, path, body) => {
    if (!path.endsWith('/transaction')) return undefined;
    transaction ??= { path, body };
    return { status: 500 };
  };
  await expect(count()).rejects.toThrow();
  const looked = Promise.withResolvers<void>();
  fake.intercept = (method, path) => {
    if (method === 'GET' && path.includes('counter')) looked.resolve();
    return undefined;
  };
  await looked.promise; // the outbox, for what it might have to publish
  await new Promise((resolve) => setImmediate(resolve));
  // Now a sidecar goes on that was frozen.
  const { path, body } = transaction as { path: string; body: string };
  const headers = { 'content-type': 'application/json' };
  await fetch(`http://127.0.0.1:${fake.port}${path}`, { method: 'POST', headers, body });
  const stored = await streams.read(streamOf(counters, 'a'));
  if (stored) await untilPublished();
}, 20_000);
