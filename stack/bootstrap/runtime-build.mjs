// Builds daprd and the broker from their Go modules, once for each state of the pins.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { makeOnce } from './cache.mjs';
import { Failure } from './failure.mjs';
import { run } from './run.mjs';
import { cachedProgram, findProgram, programs } from './runtime-folder.mjs';

/** What `dapr/runtime/*` are built with; a change here belongs into RECIPE of runtime-folder.mjs too. */
const flags = [
  '-trimpath',
  '-buildvcs=false',
  '-ldflags',
  '-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=1.18.3',
];

/** Leaves daprd and kfake in the cache; does nothing when they are there or DAPR_BIN names a folder with both. */
export async function buildRuntime(root) {
  const missing = programs.filter((program) => findProgram(root, program) === undefined);
  if (missing.length === 0) return;
  if (process.env.DAPR_BIN) {
    throw new Failure(
      `DAPR_BIN is ${process.env.DAPR_BIN}, but ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not in it.`,
      'Name the folder that holds both, or unset DAPR_BIN to build them.',
    );
  }
  requireGo();
  for (const program of missing) {
    const source = join(root, 'dapr', 'runtime', program);
    const folder = dirname(cachedProgram(root, program));
    await makeOnce(folder, program, (draft) => build(source, program, draft));
  }
}

function requireGo() {
  const { status } = spawnSync('go', ['version']);
  if (status === 0) return;
  throw new Failure(
    'Go is not installed: the Dapr sidecar is built from source, once.',
    'Install Go (https://go.dev/dl), or name a folder with ready daprd and kfake in DAPR_BIN.',
  );
}

async function build(source, program, folder) {
  const env = { CGO_ENABLED: '0' };
  const remedy =
    'Mend what Go complains about (network or GOPROXY, disk space in GOCACHE, the Go version) and start again: what was built so far is kept.';
  let loaded = 0;
  await run(
    {
      ...{ title: `Fetching the Go modules of ${program}`, cwd: source, env },
      ...{ file: 'go', args: ['mod', 'download', '-x'] },
      onLine: (line) => (/\.zip: 200/.test(line) ? `${++loaded} modules` : undefined),
    },
    remedy,
  );
  const packages = await run(
    { title: `Listing the packages of ${program}`, file: 'go', args: ['list', '-deps', '.'], cwd: source, env },
    remedy,
  );
  const total = packages.trim().split('\n').length;
  let compiled = 0;
  await run(
    {
      title: `Building ${program}${program === 'daprd' ? ' (once, a few minutes)' : ''}`,
      ...{ file: 'go', args: ['build', '-v', ...flags, '-o', join(folder, program), '.'], cwd: source, env },
      onLine: (line) => (/^[\w.-]+(\/[\w.-]+)*$/.test(line) ? `${++compiled} of at most ${total} packages` : undefined),
    },
    remedy,
  );
}
