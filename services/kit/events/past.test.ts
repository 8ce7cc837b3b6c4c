// A counter of 200 events, one a second: what it was at every moment, and how little is read to know it.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FakeSidecar, startFakeSidecar } from '../testing/fake-sidecar.ts';
import { type EventOf, type StreamKind, streamOf } from './aggregate.ts';
import { type Page, pageKey, type StreamDocument } from './document.ts';
import { asOf, eventsAfter } from './past.ts';
import { Streams } from './streams.ts';

type Counted = EventOf<'counter.counted', { readonly by: number }>;

const counters: StreamKind<{ readonly sum: number }, Counted> = {
  name: 'counter',
  initial: { sum: 0 },
  evolve: ({ sum }, { data }) => ({ sum: sum + data.by }),
  retention: 'paged',
};
const counter = streamOf(counters, 'c');
const EVENTS = 200;
const origin = { actor: 'a', correlationId: 'c', causationId: 'x', traceparent: '' };
const secondsIn = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, 0, seconds * 1_000)).toISOString();
const sumOf = (version: number) => (version * (version + 1)) / 2;

let fake: FakeSidecar;
let streams: Streams;
let seconds = 0;
beforeAll(async () => {
  fake = await startFakeSidecar();
  streams = new Streams({
    sidecar: fake.client,
    store: 's',
    source: 'test',
    clock: () => new Date(secondsIn(seconds)),
  });
  for (seconds = 1; seconds <= EVENTS; seconds += 1) {
    await streams.react({
      touch: [counter],
      origin,
      decide: (desk) => desk.append(counter, { type: 'counter.counted', data: { by: seconds } }),
    });
  }
});
afterAll(() => fake.close());

const document = async () => (await streams.read(counter)) as StreamDocument;
/** Reads of sealed pages that the work takes. */
async function pagesReadBy(work: () => Promise<unknown>): Promise<number> {
  const before = fake.calls.length;
  await work();
  return fake.calls.slice(before).filter((call) => /counter(:|%3A)c(:|%3A)p\d+$/.test(call)).length;
}

describe('the state at an instant', () => {
  const at = (instant: string) => asOf(streams, counter, instant);

  test('is what was recorded by then, whichever page it is on', async () => {
    expect((await document()).sealedPages).toBeGreaterThan(9);
    for (const version of [1, 2, 15, 16, 17, 31, 32, 33, 100, 160, 176, 177, 184, 192, 193, 199, 200]) {
      expect(await at(secondsIn(version))).toEqual({ state: { sum: sumOf(version) }, version });
      expect(await at(secondsIn(version + 0.999))).toMatchObject({ version });
    }
  });

  test('is read in whatever form the instant comes', async () => {
    expect(await at('2026-01-01T00:00:17Z')).toMatchObject({ version: 17 });
    expect(await at('2026-01-01T00:00:16.999999Z')).toMatchObject({ version: 16 });
  });

  test('is nothing before the first event, and now in the future', async () => {
    expect(await at(secondsIn(0.999))).toBeUndefined();
    expect(await at('2999-01-01T00:00:00Z')).toEqual({ state: { sum: sumOf(EVENTS) }, version: EVENTS });
    expect(await asOf(streams, streamOf(counters, 'none'), secondsIn(9))).toBeUndefined();
  });

  test('is found by halves: few pages are read of many', async () => {
    for (const version of [3, 40, 90, 150]) {
      expect(await pagesReadBy(() => at(secondsIn(version)))).toBeLessThanOrEqual(6);
    }
    expect(await pagesReadBy(() => at(secondsIn(EVENTS - 1)))).toBe(0);
  });

  test('is the same where the pages of an earlier release end without their state', async () => {
    const kept = new Map<string, Page>();
    for (let n = 0; n < 7; n += 1) {
      const key = pageKey(counter.key, n);
      const page = fake.peek('s', key) as Page;
      kept.set(key, page);
      fake.put('s', key, { key, events: page.events });
    }
    for (const version of [5, 60, 112, 113, 130]) {
      expect(await at(secondsIn(version))).toEqual({ state: { sum: sumOf(version) }, version });
    }
    for (const [key, page] of kept) fake.put('s', key, page);
  });
});

describe('the events above a version', () => {
  const above = async (version: number, limit: number) => eventsAfter(streams, await document(), version, limit);

  test('come in order and without a gap, across pages and out of the document', async () => {
    for (const [version, limit] of [
      [0, 20],
      [10, 100],
      [150, 100],
      [175, 3],
      [199, 20],
      [200, 20],
      [900, 20],
    ] as const) {
      const expected = Array.from({ length: EVENTS }, (_, n) => n + 1).slice(version, version + limit);
      expect((await above(version, limit)).map((event) => event.version)).toEqual(expected);
    }
    expect((await above(41, 1))[0]).toMatchObject({ type: 'counter.counted', at: secondsIn(42), data: { by: 42 } });
  });

  test('are read with their own pages alone', async () => {
    expect(await pagesReadBy(() => above(40, 20))).toBe(2);
    expect(await pagesReadBy(() => above(EVENTS - 10, 10))).toBe(0);
  });
});
