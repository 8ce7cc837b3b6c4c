// Streams that forget: nothing of an earlier state stays, and a lost answer is known again all the same.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type FakeStreams, startFakeStreams } from '../testing/fake-streams.ts';
import type { EventOf, StreamKind } from './aggregate.ts';
import { Records } from './records.ts';

type PersonEvent = EventOf<'person.described', { readonly name: string }> | EventOf<'person.forgotten', null>;
const people: StreamKind<{ readonly name: string } | null, PersonEvent> = {
  name: 'person',
  initial: null,
  evolve: (_, { data }) => data,
  retention: 'latest',
};

let world: FakeStreams;
let fake: FakeStreams['fake'];
let streams: FakeStreams['streams'];
beforeEach(async () => {
  world = await startFakeStreams();
  ({ fake, streams } = world);
});
afterEach(() => world.stop());

let commands = 0;
function change(event: PersonEvent, held?: number, kind = people) {
  const origin = { actor: 'a', correlationId: 'c', causationId: `command-${++commands}`, traceparent: '' };
  const guard = held === undefined ? {} : { held };
  return new Records(streams, kind).change({ id: 'x', origin, ...guard }, () => [event], undefined);
}
const described = (name: string): PersonEvent => ({ type: 'person.described', data: { name } });
const stored = () => JSON.stringify(fake.peek('s', new Records(streams, people).of('x').key));

test('of what it was before nothing stays, versions go on', async () => {
  for (let n = 0; n < 40; n += 1) await change(described(`Ada ${n}`));
  expect(stored().match(/Ada \d+/g)).toEqual(['Ada 39', 'Ada 39']); // the state and its event
  expect(await change({ type: 'person.forgotten', data: null })).toEqual({ state: null, version: 41 });
  expect(stored()).not.toContain('Ada');
});

test("a change whose answer got lost is not refused as somebody else's", async () => {
  await change(described('Ada'));
  fake.intercept = async (_, path, body) => {
    if (!path.endsWith('/transaction')) return undefined;
    fake.intercept = undefined;
    await fetch(`http://127.0.0.1:${fake.port}${path}`, { method: 'POST', body });
    return 'break';
  };
  expect(await change(described('Bea'), 1)).toEqual({ state: { name: 'Bea' }, version: 2 });
});

test('a stream that is neither published nor forgets cannot be asked whether it was us', async () => {
  await expect(change(described('Ada'), undefined, { ...people, retention: 'paged' })).rejects.toThrow(
    'who caused what',
  );
});

test('what is published is kept', async () => {
  const published = change(described('Ada'), undefined, { ...people, topic: 'orders' });
  await expect(published).rejects.toThrow('cannot forget');
});
