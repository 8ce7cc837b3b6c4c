// The Kafka-protocol broker: kfake with its log on disk, and every topic made by name.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { topicNames } from '../services/kit/events/catalogue.ts';
import { accepts } from './probe.ts';
import type { ProcessSpec } from './supervised.ts';

/** Enough to see keys land in different partitions, few enough for two cores. */
const PARTITIONS = 3;

/** Names all topics: one that was only auto-created is lost, with all its messages, when the broker is killed. */
export function brokerProcess(options: {
  program: string;
  dataDir: string;
  port: number;
  moreTopics: readonly string[];
  logFile: string;
  env: Record<string, string>;
}): ProcessSpec {
  const folder = join(options.dataDir, 'broker');
  const topics = [...new Set([...topicNames(), ...options.moreTopics])];
  mkdirSync(folder, { recursive: true });
  return {
    name: 'broker',
    file: options.program,
    args: [
      ...['-port', String(options.port), '-data-dir', folder],
      ...['-partitions', String(PARTITIONS), '-topics', topics.join(',')],
    ],
    env: options.env,
    logFile: options.logFile,
    stopSignal: 'SIGTERM',
    stopWithinMs: 5_000,
    isReady: () => accepts(options.port),
  };
}
