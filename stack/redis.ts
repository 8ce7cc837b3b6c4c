// Redis as a cache: in memory alone, with a bound, and whatever was used longest ago makes room.
import { accepts } from './probe.ts';
import type { ProcessSpec } from './supervised.ts';

/** Takes what it keeps with it: a killed one comes back empty. */
export function redisProcess(options: {
  /** `findTool('redis-server')`. */
  program: string;
  dataDir: string;
  port: number;
  logFile: string;
  env: Record<string, string>;
}): ProcessSpec {
  const { program, dataDir, port, logFile, env } = options;
  const nothingKept = ['--save', '', '--appendonly', 'no'];
  const bounded = ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'];
  return {
    name: 'cache',
    file: program,
    args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', dataDir, ...nothingKept, ...bounded],
    env,
    logFile,
    stopSignal: 'SIGTERM',
    stopWithinMs: 2_000,
    isReady: () => accepts(port),
  };
}
