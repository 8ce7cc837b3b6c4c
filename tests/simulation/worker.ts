// A thread that runs the episodes it is sent, one after the other.
import { parentPort } from 'node:worker_threads';
import { runEpisode } from './episode.ts';

/** An episode to be run. */
export interface Range {
  readonly seed: number;
  readonly orders: number;
}

// Faults are thrown by the thousand, and nobody reads where.
Error.stackTraceLimit = 0;

parentPort?.on('message', async (episode: Range) => {
  const result = await runEpisode(episode);
  parentPort?.postMessage(result);
});
