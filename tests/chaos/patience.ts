// A client that repeats with its key until it is answered: what every client of a seed does.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from '../client/gateway.ts';
import { NoAnswer, ProblemError } from '../client/problem.ts';

export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string>>;
  readonly key: string;
}

/** How long clients go on asking, and where answers go that the contract does not know, one line each. */
export interface Patience {
  readonly milliseconds: number;
  readonly odd: string[];
}

/** A client gives one try this long, then asks again. */
const TRY_MS = 8_000;

/** The answer's body, what refused it, or undefined after all patience. */
export async function untilAnswered<T>(
  caller: Gateway,
  { method = 'POST', path, body, query, key }: Asked,
  { milliseconds, odd }: Patience,
): Promise<T | ProblemError | undefined> {
  const deadline = Date.now() + milliseconds;
  const options = { timeout: TRY_MS, ...(query && { query }), ...(method === 'POST' && { body, key }) };
  while (Date.now() < deadline) {
    try {
      return (await caller.call<T>(method, path, options)).body;
    } catch (error) {
      if (error instanceof ProblemError && error.status < 500 && error.status !== 401) return error;
      const known = error instanceof NoAnswer || (error instanceof ProblemError && error.status === 503);
      if (!known) odd.push(`${key}: ${(error as Error).message}`);
      await sleep(500);
    }
  }
  return undefined;
}
