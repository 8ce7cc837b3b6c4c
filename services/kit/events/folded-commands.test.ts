// Commands that come together are saved together, and none of them pays for another.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FakeStreams, startFakeStreams } from '../testing/fake-streams.ts';
import { type EventOf, type StreamKind, streamOf } from './aggregate.ts';
import type { StreamDocument } from './document.ts';

const counters: StreamKind<number, EventOf<'order.placed', { by: string }>> = {
  name: 'counter',
  initial: 0,
  evolve: (count) => count + 1,
  retention: 'inline',
  topic: 'orders',
};

let world: FakeStreams;
let fake: FakeStreams['fake'];
let streams: FakeStreams['streams'];
beforeEach(async () => {
  world = await startFakeStreams();
  ({ fake, streams } = world);
  await count('warm'); // from now on commands wait for company
  fake.calls.length = 0;
});
afterEach(() => world.stop());

/** Counts up by one, or to `more` in as many chunks. A function as `touch`: commands on one stream do not queue. */
function count(by: string, { on = by, fails = false, more = 1 } = {}): Promise<number> {
  return streams.execute({
    touch: () => [streamOf(counters, on)],
    origin: { actor: 'test', correlationId: 'c', causationId: by, traceparent: '' },
    decide(desk) {
      if (fails) throw new Error(`${by} cannot be decided`);
      desk.append(streamOf(counters, on), { type: 'order.placed', data: { by } });
      if (desk.state(streamOf(counters, on)) < more) desk.again();
      return desk.state(streamOf(counters, on));
    },
  });
}

const transactions = () => fake.calls.filter((call) => call.endsWith('/transaction')).length;
const stored = (key: string) => (fake.peek('s', `counter:${key}`) as StreamDocument<number> | undefined)?.state;
const publishedBy = () =>
  fake.published.map(({ event }) => (event as { data: { payload: { by: string } } }).data.payload.by);

test('in one transaction, and every event is published', async () => {
  expect(await Promise.all([count('a'), count('b'), count('c')])).toEqual([1, 1, 1]);
  expect(transactions()).toBe(1);
  expect(publishedBy().sort()).toEqual(['a', 'b', 'c', 'warm']);
});

test('one after the other when they are about the same stream', async () => {
  expect((await Promise.all([count('a', { on: 'x' }), count('b', { on: 'x' }), count('c')])).sort()).toEqual([1, 1, 2]);
  expect(stored('x')).toBe(2);
});

test('without the one that throws', async () => {
  const [good, bad, other] = await Promise.allSettled([count('a'), count('b', { fails: true }), count('c')]);
  expect([good?.status, bad?.status, other?.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect([stored('a'), stored('b'), stored('c')]).toEqual([1, undefined, 1]);
});

test('without the one whose streams cannot be told', async () => {
  const origin = { actor: 'test', correlationId: 'c', causationId: 'lost', traceparent: '' };
  const touch = () => {
    throw new Error('no such stream');
  };
  const lost = streams.execute({ touch, origin, decide: () => undefined });
  const [, good] = await Promise.allSettled([lost, count('a'), count('c')]);
  await expect(lost).rejects.toThrow('no such stream');
  expect([good?.status, stored('a'), stored('c')]).toEqual(['fulfilled', 1, 1]);
});

test('beside one that goes in chunks', async () => {
  expect(await Promise.all([count('a'), count('b', { more: 3 }), count('c')])).toEqual([1, 3, 1]);
  expect(stored('b')).toBe(3);
});

test('and a lane never names more than 64 streams', async () => {
  const named: number[] = [];
  fake.intercept = (_, path, body) => {
    if (path.endsWith('/transaction')) {
      const { operations } = JSON.parse(body) as { operations: { request: { key: string; value: { keys: [] } } }[] };
      for (const { request } of operations)
        if (request.key.startsWith('outbox:')) named.push(request.value.keys.length);
    }
    return undefined;
  };
  const wide = Array.from({ length: 20 }, (_, n) => {
    const refs = Array.from({ length: 4 }, (_, m) => streamOf(counters, `wide-${n}-${m}`));
    return streams.execute({
      touch: () => refs,
      origin: { actor: 'test', correlationId: 'c', causationId: `wide-${n}`, traceparent: '' },
      decide: (desk) => refs.map((ref) => desk.append(ref, { type: 'order.placed', data: { by: ref.key } })).length,
    });
  });
  expect(await Promise.all(wide)).toEqual(Array(20).fill(4));
  expect(Math.max(...named)).toBe(64);
});

test('each alone when they are refused together', async () => {
  let refused = 0;
  fake.intercept = (_, path) => (path.endsWith('/transaction') && refused++ === 0 ? { status: 500 } : undefined);
  expect(await Promise.all([count('a'), count('b'), count('c')])).toEqual([1, 1, 1]);
  expect([stored('a'), stored('b'), stored('c')]).toEqual([1, 1, 1]);
  expect(transactions()).toBe(4);
});

test('a stream taken for absent that is there is decided again on what is stored', async () => {
  const ref = streamOf(counters, 'warm');
  const answer = await streams.execute({
    touch: [ref],
    absent: [ref],
    origin: { actor: 'test', correlationId: 'c', causationId: 'again', traceparent: '' },
    decide(desk) {
      desk.append(ref, { type: 'order.placed', data: { by: 'again' } });
      return desk.state(ref);
    },
  });
  expect([answer, stored('warm')]).toEqual([2, 2]);
});

test('a stream wrongly taken for absent costs one refused transaction: alone it is looked for', async () => {
  const again = (on: string) => {
    const ref = streamOf(counters, on);
    return streams.execute({
      touch: [ref],
      absent: [ref],
      origin: { actor: 'test', correlationId: 'c', causationId: `again-${on}`, traceparent: '' },
      decide(desk) {
        desk.append(ref, { type: 'order.placed', data: { by: on } });
        return desk.state(ref);
      },
    });
  };
  expect(await Promise.all([again('warm'), again('other')])).toEqual([2, 1]);
  expect(transactions()).toBe(3); // both together, then each alone at the first try
});
