// Every few seconds: which streams have open work that is due? Each is sent an idempotent command; a stale row costs nothing.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';

export interface SweepOptions<Due> {
  readonly name: string;
  /** What is due (ids or rows), at most 100, by the list view. */
  readonly due: () => Promise<readonly Due[]>;
  /** The command; the stream decides whether anything is to be done. */
  readonly run: (due: Due) => Promise<void>;
  readonly log: Logger;
  /** Milliseconds between two looks. */
  readonly every?: number;
}

/** Starts the sweep and answers how to stop it. A failing row does not keep the others waiting. */
export function startSweep<Due>(options: SweepOptions<Due>): () => Promise<void> {
  const stop = new AbortController();
  const loop = (async () => {
    while (!stop.signal.aborted) {
      await pause(options.every ?? 5_000, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
      if (stop.signal.aborted) return;
      try {
        for (const due of await options.due()) {
          if (stop.signal.aborted) return;
          await options.run(due).catch((error) => options.log.warn({ err: error, due }, `${options.name}: one failed`));
        }
      } catch (error) {
        options.log.warn({ err: error }, `${options.name}: cannot look for work now`);
      }
    }
  })();
  return async () => {
    stop.abort();
    await loop;
  };
}
