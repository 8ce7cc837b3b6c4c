// Processes of a real mesh are killed with -9 in the middle of work; then the invariants (tests/invariants/) must hold.
// One victim alone: `-t "the death of order-dapr"`. Everything else that can go wrong: `seed.test.ts`, `npm run chaos`.
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { openWorld } from '../acceptance/open-world.ts';
import { checkInvariants } from '../invariants/check.ts';
import type { AnsweredOrder } from '../invariants/sagas.ts';
import { killSuite } from './kills.ts';
import { largeWorkSuite } from './large-work.ts';
import { poisonSuite } from './poison.ts';
import { redeliverySuite } from './redelivery.ts';

jest.setTimeout(120_000);

/** What clients were told in all rounds. */
const answered: AnsweredOrder[] = [];
/** Streams whose messages were made up to be refused. */
const poison = new Set<string>();
// At the top, so that a mesh that does not start is one failure and not one of every test.
const world = await openWorld();

afterEach(async () => {
  await Promise.all(world.mesh.processes.map((each) => each.waitReady()));
});
afterAll(async () => {
  await world.close(process.env.KEEP_DATA === 'true');
}, 60_000);

describe('nothing is lost or done twice by the death of', () => killSuite(world, answered));
describe('half-way killed and completed once:', () => largeWorkSuite(world));
describe('a message that breaks its contract', () => poisonSuite(world, poison));
describe('a whole topic again', () => redeliverySuite(world, poison));

describe('after all of this', () => {
  it('every invariant holds', async () => {
    expect(await checkInvariants(world.mesh, { answered, poison })).toEqual([]);
  });
});
