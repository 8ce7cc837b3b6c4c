// The load: a closed loop of clients that each wait for their answer, or an open one with arrivals at fixed times.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

/** `refused`: an answer that says "not now" (429, 503). `late`: accepted, and not final when the client stopped waiting. */
export type Outcome = 'done' | 'refused' | 'late';

/** One operation. Throws when it went wrong. */
export type Operation = (n: number) => Promise<Outcome>;

export interface LoadResult {
  readonly done: number;
  /** Of these, before the time of the load was over. */
  readonly inTime: number;
  readonly late: number;
  readonly refused: number;
  readonly failed: number;
  /** From the first start to the last answer. */
  readonly seconds: number;
  /** Microseconds, of those done and those late; in an open loop from the time at which the operation should have started. */
  readonly latency: RecordableHistogram;
  readonly refusedLatency: RecordableHistogram;
  readonly firstError: string | undefined;
}

export type Load =
  | { readonly clients: number; readonly seconds: number }
  /** Operations per second, whatever becomes of them. */
  | { readonly rate: number; readonly seconds: number };

let numbers = 0;

/** Runs a load to its end: everything started has been answered. */
export async function runLoad(load: Load, operation: Operation): Promise<LoadResult> {
  const latency = createHistogram();
  const refusedLatency = createHistogram();
  const count = { done: 0, inTime: 0, late: 0, refused: 0, failed: 0 };
  let firstError: string | undefined;
  const started = performance.now();
  const end = started + load.seconds * 1_000;

  const once = async (since: number) => {
    try {
      const outcome = await operation(numbers++);
      const micros = Math.max(1, Math.round((performance.now() - since) * 1_000));
      (outcome === 'refused' ? refusedLatency : latency).record(micros);
      count[outcome] += 1;
      if (outcome === 'done' && performance.now() <= end) count.inTime += 1;
    } catch (error) {
      count.failed += 1;
      firstError ??= String(error);
    }
  };

  if ('clients' in load) {
    const client = async () => {
      while (performance.now() < end) await once(performance.now());
    };
    await Promise.all(Array.from({ length: load.clients }, client));
  } else {
    const under: Promise<void>[] = [];
    const total = Math.round(load.rate * load.seconds);
    for (let n = 0; n < total; n += 1) {
      const due = started + (n * 1_000) / load.rate;
      const early = due - performance.now();
      if (early > 0) await pause(early);
      under.push(once(due));
    }
    await Promise.all(under);
  }
  const seconds = (performance.now() - started) / 1_000;
  return { ...count, seconds, latency, refusedLatency, firstError };
}
