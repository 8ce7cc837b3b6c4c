// Several commands in one transaction: decided one after the other in memory, as the reactor does with messages.
import { Conflict, Fault } from '../errors.ts';
import { Desk } from './desk.ts';
import type { Lane } from './lane.ts';
import type { Done, Streams, Work } from './streams.ts';
import { MOST_BYTES, MOST_DOCUMENTS, WorkingSet } from './working-set.ts';

type Decided = Omit<Done, 'published'>;

/**
 * The first try of several commands together. Undefined for whoever has to be tried alone: it does not fit in, has
 * nothing to write, cannot be read with the others, or the transaction was refused. What is wrong with one of them is
 * its own affair.
 */
export async function foldCommands(
  streams: Streams,
  works: readonly Work<unknown>[],
  lane: Lane,
): Promise<readonly (Promise<Done> | undefined)[]> {
  const set = new WorkingSet(streams.sidecar, streams.store);
  for (const { absent } of works) set.assumeAbsent(absent ?? []);
  try {
    const known = works.flatMap(({ touch }) => (typeof touch === 'function' ? touch(() => undefined) : touch));
    await Promise.all([set.load(known), lane.load(false)]);
  } catch {
    return works.map(() => undefined);
  }
  const outcomes: (Decided | { readonly thrown: unknown } | undefined)[] = [];
  for (const work of works) outcomes.push(await decideWithin(set, work, lane.room, streams.now()));
  if (!outcomes.some((outcome) => outcome && 'desk' in outcome)) return works.map(() => undefined);
  let published: Promise<void> | undefined;
  try {
    published = streams.publishAll(await streams.commit(set, lane, MOST_BYTES));
  } catch (error) {
    if (!(error instanceof Conflict || error instanceof Fault)) throw error;
    return works.map(() => undefined);
  }
  return outcomes.map((outcome) => {
    if (outcome === undefined) return undefined;
    return 'thrown' in outcome ? Promise.reject(outcome.thrown) : Promise.resolve({ ...outcome, published });
  });
}

/** Decides on top of those before, who all have to fit into the lane's room; leaves no trace of a decision that is not to be saved with them. */
async function decideWithin(
  set: WorkingSet,
  { touch, decide, origin }: Work<unknown>,
  room: number,
  now: string,
): Promise<Decided | { readonly thrown: unknown } | undefined> {
  const before = set.savepoint();
  const desk = new Desk(set, origin, now);
  try {
    await set.gather(typeof touch === 'function' ? touch : () => touch, false);
    const result = decide(desk);
    const fits = set.dirty <= MOST_DOCUMENTS && set.published <= room;
    if (set.changed(before).length > 0 && !desk.wantsMore && fits) {
      return { result, desk, wrote: true };
    }
  } catch (thrown) {
    set.rollback(before);
    return { thrown };
  }
  set.rollback(before);
  return undefined;
}
