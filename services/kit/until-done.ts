// The start of a service: its sidecar, store or neighbours may come up later than it does.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Conflict, Fault } from './errors.ts';

const PAUSE = 250;

/**
 * Does a task until it succeeds, or until `stopped` says that nobody wants it any more. Repeats after a Fault or Conflict
 * every quarter of a second; anything else is thrown.
 */
export async function untilDone(
  what: string,
  log: Pick<Logger, 'warn' | 'debug'>,
  task: () => Promise<void>,
  stopped: () => boolean = () => false,
): Promise<void> {
  for (let tries = 1; !stopped(); tries += 1) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof Fault || error instanceof Conflict)) throw error;
      // The first tries fail at every start: only who waits long wants to read why.
      log[tries % 40 === 0 ? 'warn' : 'debug']({ err: error, what, tries }, 'not yet');
      await pause(PAUSE);
    }
  }
}
