// How tests speak to the simulator's control side, and how they start one of their own.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Faults } from './faults.ts';
import type { summary } from './queries.ts';

export type BookSummary = ReturnType<typeof summary> & { requests: number };
export type FaultsPatch = Partial<Omit<Faults, 'webhooks'>> & { webhooks?: Partial<Faults['webhooks']> };

export type ProviderControl = {
  /** What the provider knows; of one order or payment when named. */
  book(of?: { orderId: string } | { paymentId: string }): Promise<BookSummary>;
  /** Changes the named faults and leaves the others. */
  faults(patch: FaultsPatch): Promise<Faults>;
  /** Ends all faults; the book stays. */
  reset(): Promise<Faults>;
};

/** The control side of the simulator at `baseUrl` (`http://127.0.0.1:<port>`). @throws Error when it does not answer 200 */
export function providerControl(baseUrl: string): ProviderControl {
  const call = async <T>(path: string, body?: unknown): Promise<T> => {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(`${baseUrl}/_control/${path}`, { ...request, signal: AbortSignal.timeout(5_000) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`card provider control ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  };
  return {
    book: (of) => call(`book?${new URLSearchParams(of)}`),
    faults: (patch) => call('faults', patch),
    reset: () => call('reset', {}),
  };
}

export type RunningSimulator = {
  port: number;
  url: string;
  control: ProviderControl;
  /** Ends the process and waits until it is gone. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
};

/** Starts the simulator as a process of its own; resolves when it listens. @throws Error when it ends before */
export async function startSimulator(environment: {
  DATA_FILE: string;
  API_KEY: string;
  PORT?: string;
  WEBHOOK_URL?: string;
  WEBHOOK_SECRET?: string;
}): Promise<RunningSimulator> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await listeningPort(child);
  const url = `http://127.0.0.1:${port}`;
  return {
    port,
    url,
    control: providerControl(url),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await gone;
    },
  };
}

async function listeningPort(child: ChildProcess): Promise<number> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of lines) return (JSON.parse(line) as { port: number }).port;
  throw new Error('the card provider simulator ended before it listened');
}
