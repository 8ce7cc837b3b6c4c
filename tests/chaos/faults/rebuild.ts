// Every view of report is built anew under load, and what builds it dies in the middle: it has to go on by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { Gateway } from '../../client/gateway.ts';
import { person } from '../../client/identity.ts';
import { ProblemError } from '../../client/problem.ts';
import { awaitRebuilt, isEqual, rebuildPath, VIEWS } from '../../client/rebuild.ts';
import type { ChaosWorld, Fault } from '../fault.ts';
import { between } from '../random.ts';

/** Until all views have to be there, in milliseconds: other faults may strike beside this one. */
const REBUILT_WITHIN_MS = 60_000;
/** The blow falls within so many milliseconds of the first answer: seven rebuilds of a seed take longer. */
const MIDDLE_MS = 250;

/** kill -9 of `victim` while all views are rebuilt. Healed when they have ended, each the same as the one it replaced. */
export function cutRebuild(victim: string): Fault {
  return {
    name: `kill ${victim} in a rebuild`,
    hits: [victim],
    async strike({ mesh, random }) {
      const pause = between(random, 0, MIDDLE_MS);
      await withAdmin(mesh, async (admin) => {
        await Promise.all(VIEWS.map((view) => begin(admin, view)));
        await sleep(pause);
        await mesh.process(victim).kill();
      });
    },
    async heal({ mesh }) {
      await mesh.process(victim).waitReady(REBUILT_WITHIN_MS);
      await withAdmin(mesh, async (admin) => {
        for (const view of VIEWS) {
          const progress = await awaitRebuilt(admin, view, { within: REBUILT_WITHIN_MS });
          if (!isEqual(progress)) throw new Error(`${view} came out different: ${JSON.stringify(progress)}`);
        }
      });
    },
  };
}

/** One that is under way already is as good: its answer was lost, and it was asked for again. */
async function begin(admin: Gateway, view: string): Promise<void> {
  try {
    await admin.call('POST', rebuildPath(view), { repeatable: true });
  } catch (error) {
    if (!(error instanceof ProblemError && error.code === 'REBUILD_RUNNING')) throw error;
  }
}

async function withAdmin(mesh: ChaosWorld['mesh'], work: (admin: Gateway) => Promise<void>): Promise<void> {
  const gateway = new Gateway({ baseUrl: mesh.url, connections: 8, patience: REBUILT_WITHIN_MS });
  try {
    await work(gateway.as(person('admin@demo.test', String(mesh.secrets['demo-password']))));
  } finally {
    await gateway.close();
  }
}
