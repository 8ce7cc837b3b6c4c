// A key is done once: repeats, another payload, refusals, many other keys, a lost answer, a hot stream.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FakeStreams, startFakeStreams } from '../testing/fake-streams.ts';
import { type Decision, type EventOf, refuse, type StreamKind, streamOf } from './aggregate.ts';
import { once } from './once.ts';

type Spent = EventOf<'points.spent', { readonly points: number }>;
const accounts: StreamKind<number, Spent> = {
  name: 'account',
  initial: 100,
  evolve: (points, { data }) => points - data.points,
  retention: 'paged',
};
const account = streamOf(accounts, 'a');
const spend = (balance: number, points: number): Decision<Spent> =>
  points > balance ? refuse('POINTS_INSUFFICIENT') : [{ type: 'points.spent', data: { points } }];

let world: FakeStreams;
let fake: FakeStreams['fake'];
let streams: FakeStreams['streams'];
beforeEach(async () => {
  world = await startFakeStreams();
  ({ fake, streams } = world);
});
afterEach(() => world.stop());

const send = (id: string, points = 1) =>
  once(streams, {
    command: { id, hash: `${points}` },
    touch: [account],
    origin: { actor: 'test', correlationId: 'c', causationId: id, traceparent: '' },
    decide: (desk) => desk.apply(account, spend, points) ?? { left: desk.state(account) },
  });
const left = async () => (await streams.read(account))?.state;

test('a repeat gets the first answer, also after forty other commands', async () => {
  expect(await send('k', 2)).toEqual({ result: { left: 98 }, replayed: false });
  for (let n = 0; n < 40; n += 1) await send(`other-${n}`);
  expect(await send('k', 2)).toEqual({ result: { left: 98 }, replayed: true });
  expect(await left()).toBe(58);
});

test('another payload under the key is refused', async () => {
  await send('k', 2);
  expect(await send('k', 3)).toMatchObject({ refused: 'IDEMPOTENCY_KEY_REUSED' });
  expect(await left()).toBe(98);
});

test('a refusal is not kept: the same key may succeed later', async () => {
  expect(await send('k', 101)).toMatchObject({ refused: 'POINTS_INSUFFICIENT' });
  expect(await send('k', 1)).toMatchObject({ replayed: false });
});

test('a try whose answer was lost is done once, and no repeat', async () => {
  fake.intercept = async (_, path, body) => {
    if (!path.endsWith('/transaction')) return undefined;
    fake.intercept = undefined;
    await fetch(`http://127.0.0.1:${fake.port}${path}`, { method: 'POST', body });
    return 'break';
  };
  expect(await send('k', 2)).toEqual({ result: { left: 98 }, replayed: false });
  expect(await left()).toBe(98);
});

test('the same key at the same time is done once, and many keys on one stream travel together', async () => {
  const before = fake.calls.length;
  const same = await Promise.all([send('k'), send('k'), send('k')]);
  expect(same.map((answer) => 'replayed' in answer && answer.replayed).sort()).toEqual([false, true, true]);
  await Promise.all(Array.from({ length: 20 }, (_, n) => send(`other-${n}`)));
  expect(fake.calls.slice(before).filter((call) => call.endsWith('/transaction')).length).toBeLessThan(21);
  expect(await left()).toBe(79);
});
