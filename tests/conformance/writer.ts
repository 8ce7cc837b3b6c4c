// Processes that write with the kit and may be killed or paused; see `writer-process.ts`.
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

/** Counts once in each of these counters, in one transaction. */
export interface Order {
  readonly id: string;
  readonly counters: readonly string[];
}

export interface Outcome {
  readonly id: string;
  readonly done: boolean;
  readonly fault?: string;
  readonly retryAfter?: number;
}

export interface Writer {
  /** One command; never rejects. A command that was under way when the process died is not done. */
  count(...counters: string[]): Promise<Outcome>;
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
}

/** Milliseconds between two signs of life, and without one until others take over. */
export const BEAT = 300;
export const DEAD_AFTER = 2_000;

/** Starts a process whose sidecar is on that port; it holds an outbox slot when this resolves. */
export async function startWriter(daprPort: number): Promise<Writer> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'writer-process.ts'), {
    execArgv: ['--no-warnings'],
    env: {
      PATH: process.env.PATH,
      DAPR_HTTP_PORT: String(daprPort),
      BEAT: String(BEAT),
      DEAD_AFTER: String(DEAD_AFTER),
    },
  });
  const waiting = new Map<string, (outcome: Outcome) => void>();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the writer ended with code ${code}`)));
    child.on('message', (message: Outcome | 'ready') => {
      if (message === 'ready') resolve();
      else waiting.get(message.id)?.(message);
    });
  });
  void exited.then(() => {
    for (const [id, resolve] of waiting) resolve({ id, done: false, fault: 'the process is gone' });
  });
  await ready;
  return {
    count(...counters) {
      const id = randomUUID();
      const outcome = new Promise<Outcome>((resolve) => waiting.set(id, resolve));
      child.send({ id, counters } satisfies Order);
      return outcome.finally(() => waiting.delete(id));
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
