import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { eventually } from '../../client/eventually.ts';
import type { Fault } from '../fault.ts';
import { Interposers } from '../interposers.ts';
import { lostAnswers } from './answers.ts';
import { type Disorder, deliveries } from './deliveries.ts';
import { PROBE, type ProbeMesh, startProbeMesh } from './testing/probe-mesh.ts';

jest.setTimeout(30_000);

const interposers = new Interposers([PROBE]);
let world: ProbeMesh;
let healing: Fault | undefined;
let count = 0;
beforeAll(async () => {
  world = await startProbeMesh(interposers.options);
});
afterEach(async () => {
  await healing?.heal(world);
  healing = undefined;
});
afterAll(async () => {
  await world.close();
  await interposers.close();
});

const disordered = (disorder: Disorder) => deliveries({ interposers, appId: PROBE, disorder, share: 1 });
const freshIds = (many: number) => Array.from({ length: many }, () => `event-${++count}`);

async function strike(fault: Fault, random = () => 0.5): Promise<void> {
  healing = fault;
  await fault.strike({ ...world, random });
}

/** Batches with any of these, once each of them has come `times`. */
async function delivered(ids: readonly string[], times = 1): Promise<string[][]> {
  return eventually(async () => {
    const batches = (await world.delivered()).filter((batch) => batch.some((id) => ids.includes(id)));
    const seen = batches.flat();
    return ids.every((id) => seen.filter((each) => each === id).length >= times) && batches;
  });
}

/** Nothing is left of the harm: a message comes once, a note is kept. */
async function expectHealed(): Promise<void> {
  await healing?.heal(world);
  const [first, second] = [freshIds(1), freshIds(1)];
  await world.publish(...first);
  await delivered(first);
  await world.publish(...second);
  await delivered(second);
  expect((await world.delivered()).flat().filter((id) => [...first, ...second].includes(id))).toHaveLength(2);
  expect(await world.keep('healed', 'yes')).toBe(204);
}

test('passes everything on while nothing is struck', async () => {
  await expectHealed();
  const text = 'ü'.repeat(20_000);
  expect(await world.keep('long', text)).toBe(204);
  expect(JSON.parse(await world.note('long'))).toBe(text);
  const { status } = await world.mesh.sidecar(PROBE, '/nowhere', { headers: { 'dapr-app-id': PROBE } });
  expect(status).toBe(404);
});

test('survives the death of the service and a restart of its sidecar', async () => {
  await world.mesh.process(PROBE).kill();
  await world.mesh.process(PROBE).waitReady();
  await world.mesh.process(`${PROBE}-dapr`).restart();
  await expectHealed();
});

test.each(['doubled', 'unanswered'] as const)('%s: the same again', async (disorder) => {
  const ids = freshIds(1);
  await strike(disordered(disorder), () => 0.1);
  await world.publish(...ids);
  expect(await delivered(ids, 2)).toEqual(expect.arrayContaining([ids, ids]));
  await expectHealed();
});

test('doubled: the repeat comes after later messages, and never after the healing', async () => {
  const fault = disordered('doubled');
  await strike(fault, () => 0.9);
  const [early, later] = [freshIds(1), freshIds(1)];
  await world.publish(...early);
  await delivered(early);
  await world.publish(...later);
  await delivered(later);
  await fault.heal(world);
  const all = (await world.delivered()).flat().filter((id) => [...early, ...later].includes(id));
  expect(all.slice(0, 2)).toEqual([...early, ...later]);
  expect(all.slice(2).sort()).toEqual([...early, ...later]);
  await expectHealed();
});

test('delayed: it comes late, or when it is healed', async () => {
  await strike(disordered('delayed'), () => 0.1);
  const ids = freshIds(1);
  await world.publish(...ids);
  expect((await world.delivered()).flat()).not.toContain(ids[0]);
  await expectHealed();
  expect((await world.delivered()).flat()).toContain(ids[0]);
});

test('reordered: everything once, in another order', async () => {
  await strike(disordered('reordered'), () => 0.3);
  const ids = freshIds(6);
  await world.publish(...ids);
  const came = (await delivered(ids)).flat();
  expect([...came].sort()).toEqual([...ids].sort());
  expect(came).not.toEqual(ids);
  await expectHealed();
});

test('held back: some come after those behind them', async () => {
  let draws = 0;
  await strike(disordered('held back'), () => (draws++ < 3 ? 0 : 0.9)); // the batch is hit, its first two entries sent back
  for (let isOvertaken = false; !isOvertaken; ) {
    draws = 0;
    const ids = freshIds(4); // daprd's clock may cut them into batches of one, which nothing can overtake
    await world.publish(...ids);
    const came = (await delivered(ids)).flat();
    expect([...came].sort()).toEqual([...ids].sort());
    isOvertaken = came.at(-1) !== ids[3];
  }
  await expectHealed();
});

test('dropped: nothing comes until it is healed', async () => {
  await strike(disordered('dropped'));
  const ids = freshIds(2);
  await world.publish(...ids);
  await expectHealed();
  expect((await delivered(ids)).flat().slice(0, 2)).toEqual(ids); // the message of the healing may be of the same batch
});

test('a lost answer of the sidecar: saved, and the service does not know', async () => {
  await strike(lostAnswers({ interposers, appId: PROBE, side: 'toSidecar', cut: 'after', share: 1 }));
  expect(await world.keep('unheard', 'saved')).toBe(502);
  await healing?.heal(world);
  expect(JSON.parse(await world.note('unheard'))).toBe('saved');
  await expectHealed();
});

test('a lost request to the sidecar: nothing is saved', async () => {
  await strike(lostAnswers({ interposers, appId: PROBE, side: 'toSidecar', cut: 'before', share: 1, only: /state/ }));
  expect(await world.keep('lost', 'saved')).toBe(502);
  await healing?.heal(world);
  expect(await world.note('lost')).toBe('');
  await expectHealed();
});

test('a lost answer of the service befalls only what can be repeated', async () => {
  await strike(lostAnswers({ interposers, appId: PROBE, side: 'toApp', cut: 'after', share: 1 }));
  const put = (key: string, headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${world.mesh.portsOf(PROBE).toApp}/notes/${key}`, { method: 'PUT', body: 'x', headers });
  expect((await put('unkeyed', {})).status).toBe(204);
  await expect(put('keyed', { 'idempotency-key': 'k' })).rejects.toThrow();
  await healing?.heal(world);
  expect(JSON.parse(await world.note('keyed'))).toBe('x');
  await expectHealed();
});
