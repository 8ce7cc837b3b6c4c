// What happens to single processes: death, silence, a new start.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { between } from '../random.ts';

/** Milliseconds until a healed process has to be ready. */
const READY_WITHIN_MS = 60_000;

/** kill -9; now and then once more while it recovers. The runner starts it again. */
export function killProcess(name: string): Fault {
  return {
    name: `kill ${name}`,
    hits: [name],
    async strike({ mesh, random }) {
      const again = random() < 0.3;
      const pause = between(random, 700, 1_300);
      await mesh.process(name).kill();
      if (!again) return;
      await sleep(pause);
      await mesh.process(name).kill();
    },
    heal: ({ mesh }) => mesh.process(name).waitReady(READY_WITHIN_MS),
  };
}

/** SIGSTOP: it holds its connections and answers nobody, until it goes on as if nothing had been. */
export function pauseProcess(name: string): Fault {
  return {
    name: `pause ${name}`,
    hits: [name],
    strike: async ({ mesh }) => mesh.process(name).pause(),
    async heal({ mesh }) {
      mesh.process(name).resume();
      await mesh.process(name).waitReady(READY_WITHIN_MS);
    },
  };
}

/** A polite stop in the middle of work, and a new start. */
export function restartProcess(name: string): Fault {
  return {
    name: `restart ${name}`,
    hits: [name],
    async strike({ mesh }) {
      await mesh.process(name).stop();
    },
    async heal({ mesh }) {
      await mesh.process(name).start();
      await mesh.process(name).waitReady(READY_WITHIN_MS);
    },
  };
}

/** One of two replicas dies with its sidecar, and stays dead until the other has done its work for a while. */
export function loseReplica(name: string, sidecar: string): Fault {
  return {
    name: `lose replica ${name}`,
    hits: [name, sidecar],
    async strike({ mesh }) {
      await Promise.all([name, sidecar].map((each) => mesh.process(each).stop('SIGKILL')));
    },
    async heal({ mesh }) {
      await Promise.all([name, sidecar].map((each) => mesh.process(each).start()));
      await Promise.all([name, sidecar].map((each) => mesh.process(each).waitReady(READY_WITHIN_MS)));
    },
  };
}
