// Every few seconds: which streams have open work that is due? Each is sent an idempotent command; a stale row costs nothing.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';

export interface SweepOptions<Due> {
  /** For the log: what it looks for. */
  readonly name: string;
  /** What is due (ids or rows), at most 100, by the list view. */
  readonly due: () => Promise<readonly Due[]>;
  /** The command; the stream decides whether anything is to be done. */
  readonly run: (due: Due) => Promise<void>;
  /** Milliseconds between two looks; 5,000 unless told. */
  readonly every?: number;
}

/** Starts a sweep and answers how to stop it: after the command under way. */
export type Sweep = (log: Logger) => () => Promise<void>;

/** A sweep, not started. A row that fails does not keep the others waiting. */
export function sweep<Due>({ name, due, run, every = 5_000 }: SweepOptions<Due>): Sweep {
  return (log) => {
    const stop = new AbortController();
    const { signal } = stop;
    const loop = (async () => {
      while (!signal.aborted) {
        await pause(every, undefined, { signal, ref: false }).catch(() => undefined);
        if (signal.aborted) return;
        try {
          for (const each of await due()) {
            if (signal.aborted) return;
            await run(each).catch((error) => log.warn({ err: error, due: each }, `${name}: one failed`));
          }
        } catch (error) {
          log.warn({ err: error }, `${name}: cannot look for work now`);
        }
      }
    })();
    return async () => {
      stop.abort();
      await loop;
    };
  };
}
