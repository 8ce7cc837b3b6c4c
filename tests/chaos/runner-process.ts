// The mesh under a runner of its own process, so that the runner can be killed too. Started by `runner.ts`.
import { seedDemo } from '../../stack/demo.ts';
import { type Mesh, startMesh } from '../../stack/mesh.ts';
import type { ProcessHandle } from '../../stack/supervised.ts';
import type { Deed, FromRunner, ToRunner } from './runner-protocol.ts';

let starting: Mesh | undefined;

const tell = (message: FromRunner) => process.connected && process.send?.(message);

process.on('message', (message: ToRunner) => {
  if (message.say === 'start') void start(message);
  else void obey(message);
});
// Whoever started us is gone: nothing may outlive both.
process.on('disconnect', async () => {
  starting?.hasten();
  await starting?.stop();
  process.exit(1);
});
// Ctrl-C reaches the whole group of the terminal; the chaos program ends us in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

async function start({ options }: Extract<ToRunner, { say: 'start' }>): Promise<void> {
  try {
    await startMesh({
      ...options,
      seed: ({ url: baseUrl, secrets: known }) => seedDemo({ baseUrl, secrets: known }),
      onStart: (mesh) => {
        starting = mesh;
        const { url, ports, secrets } = mesh;
        tell({ say: 'starting', url, ports, secrets });
      },
      onChange: (processes) =>
        tell({
          say: 'news',
          processes: processes.map(({ name, pid, state, restarts }) => ({ name, pid, state, restarts })),
        }),
      log: (line) => tell({ say: 'log', line }),
    });
    tell({ say: 'up' });
  } catch (error) {
    tell({ say: 'failed', why: error instanceof Error ? error.message : String(error) });
  }
}

async function obey({ id, deed, name, args }: Extract<ToRunner, { say: 'do' }>): Promise<void> {
  try {
    if (!starting) throw new Error('no mesh was started');
    if (deed === 'stop-mesh') await starting.stop();
    else await act(starting.process(name), deed, args);
    tell({ say: 'done', id });
  } catch (error) {
    tell({ say: 'done', id, error: error instanceof Error ? error.message : String(error) });
  }
}

function act(handle: ProcessHandle, deed: Exclude<Deed, 'stop-mesh'>, [first]: readonly unknown[]): unknown {
  if (deed === 'kill' || deed === 'stop') return handle[deed](first as NodeJS.Signals | undefined);
  if (deed === 'waitReady') return handle.waitReady(first as number | undefined);
  return handle[deed]();
}
