// Every few seconds: which streams have open work that is due? Each is sent an idempotent command; a stale row costs nothing.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';

export interface SweepOptions {
  readonly name: string;
  /** Ids that are due, at most 100, by the list view. */
  readonly due: () => Promise<readonly string[]>;
  /** The command; the stream decides whether anything is to be done. */
  readonly run: (id: string) => Promise<void>;
  readonly log: Logger;
  /** Milliseconds between two looks. */
  readonly every?: number;
}

/** Starts the sweep and answers how to stop it. A failing row does not keep the others waiting. */
export function startSweep(options: SweepOptions): () => Promise<void> {
  const stop = new AbortController();
  const loop = (async () => {
    while (!stop.signal.aborted) {
      await pause(options.every ?? 5_000, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
      if (stop.signal.aborted) return;
      try {
        for (const id of await options.due()) {
          if (stop.signal.aborted) return;
          await options.run(id).catch((error) => options.log.warn({ err: error, id }, `${options.name}: one failed`));
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
