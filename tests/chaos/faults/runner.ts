// The runner itself is killed: everything lives on without anybody who restarts it, until the next start ends and replaces it.
import type { Fault } from '../fault.ts';
import { RunnerMesh } from '../runner.ts';

/** kill -9 of the runner. Needs a mesh under a runner of its own. */
export function killRunner(): Fault {
  return {
    name: 'kill runner',
    hits: ['runner'],
    strike: ({ mesh }) => ownRunner(mesh).killRunner(),
    async heal({ mesh }) {
      const own = ownRunner(mesh);
      if (own.runnerPid === undefined) await own.startRunner();
    },
  };
}

function ownRunner(mesh: unknown): RunnerMesh {
  if (mesh instanceof RunnerMesh) return mesh;
  throw new TypeError('this mesh has no runner of its own');
}
