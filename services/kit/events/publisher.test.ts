// The order in which a stream's events reach the broker, whatever fails in between.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Fault } from '../errors.ts';
import { type FakeSidecar, startFakeSidecar } from '../testing/fake-sidecar.ts';
import type { StreamDocument } from './document.ts';
import { Publisher } from './publisher.ts';

let fake: FakeSidecar;
let publisher: Publisher;
beforeAll(async () => {
  fake = await startFakeSidecar();
});
afterAll(() => fake.close());
beforeEach(() => {
  publisher = new Publisher({ sidecar: fake.client, pubsub: 'pubsub-saga', source: 'test' });
  fake.published.length = 0;
  fake.calls.length = 0;
  fake.intercept = undefined;
});

function stream(key: string, version: number, publishedVersion = 0): StreamDocument {
  const events = Array.from({ length: version }, (_, n) => {
    return { id: `${key}-${n + 1}`, type: 'order.placed', version: n + 1, at: 'now', data: {}, causationId: 'c' };
  });
  const published = { topic: 'orders', partitionKey: `of ${key}`, publishedVersion };
  return { key, id: key, version, state: {}, events, sealedPages: 0, commands: [], ...published };
}

const ids = () => fake.published.map(({ event }) => (event as { id: string }).id);

/** The broker refuses these entries of the next call, by their ids, and takes the others. */
function refuse(...refused: string[]): void {
  fake.intercept = (_, path, body) => {
    if (!path.startsWith('/v1.0/publish/')) return undefined;
    fake.intercept = undefined;
    const entries = JSON.parse(body) as { entryId: string; event: { id: string } }[];
    const failedEntries = entries.filter(({ event }) => refused.includes(event.id));
    return { status: 500, body: { failedEntries, errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' } };
  };
}

test('all events above the published version go in one call, in order, under the key of the stream', async () => {
  await Promise.all([publisher.publish(stream('a', 4, 2)), publisher.publish(stream('b', 1))]);
  expect(ids()).toEqual(['a-3', 'a-4', 'b-1']);
  expect(fake.published.map(({ partitionKey }) => partitionKey)).toEqual(['of a', 'of a', 'of b']);
  expect(fake.calls).toHaveLength(1);
  await publisher.publish(stream('a', 4, 2));
  expect(fake.calls).toHaveLength(1); // known to be there
});

test('what comes during a call goes with the next, without what that call carries', async () => {
  await Promise.all([
    publisher.publish(stream('a', 1)),
    new Promise((next) => setImmediate(next)).then(() =>
      Promise.all([2, 3].map((v) => publisher.publish(stream('a', v)))),
    ),
  ]);
  expect(ids()).toEqual(['a-1', 'a-2', 'a-3']);
});

test('up to a version: what lies above it stays', async () => {
  await publisher.publish(stream('a', 3), 2);
  expect(ids()).toEqual(['a-1', 'a-2']);
});

test('from the first refused entry on a stream counts as unpublished, other streams do not', async () => {
  refuse('a-2');
  const [a, b] = await Promise.allSettled([publisher.publish(stream('a', 3)), publisher.publish(stream('b', 1))]);
  expect([a.status, b.status]).toEqual(['rejected', 'fulfilled']);
  expect((a as PromiseRejectedResult).reason).toBeInstanceOf(Fault);
  expect(publisher.publishedVersion(stream('a', 3))).toBe(1);
  await publisher.publish(stream('a', 3));
  expect(ids()).toEqual(['a-2', 'a-3']);
});

test('who waits only for what was taken before the refused entry is content', async () => {
  refuse('a-3');
  const [low, high] = await Promise.allSettled([
    publisher.publish(stream('a', 3), 2),
    publisher.publish(stream('a', 3)),
  ]);
  expect([low.status, high.status]).toEqual(['fulfilled', 'rejected']);
});

test('a broker out of reach is a fault for all, and the next try sends all', async () => {
  fake.intercept = () => 'break';
  const tries = await Promise.allSettled([publisher.publish(stream('a', 2)), publisher.publish(stream('b', 1))]);
  for (const each of tries) expect((each as PromiseRejectedResult).reason).toBeInstanceOf(Fault);
  fake.intercept = undefined;
  await Promise.all([publisher.publish(stream('a', 2)), publisher.publish(stream('b', 1))]);
  expect(ids()).toEqual(['a-1', 'a-2', 'b-1']);
});

test('a stream without a topic, or one that is published, needs no call', async () => {
  const { topic: _, ...silent } = stream('a', 2);
  await publisher.publish(silent);
  await publisher.publish(stream('b', 2, 2));
  publisher.learn('c', 2);
  await publisher.publish(stream('c', 2));
  expect(fake.calls).toEqual([]);
});
