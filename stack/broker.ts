// The Kafka-protocol broker: kfake with its log on disk, and every topic made by name.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { topicNames } from '../services/kit/events/catalogue.ts';
import { accepts } from './probe.ts';
import type { ProcessSpec } from './supervised.ts';

/** Names all topics: one that was only auto-created is lost, with all its messages, when the broker is killed. */
export function brokerProcess(options: {
  program: string;
  dataDir: string;
  port: number;
  moreTopics: readonly string[];
  /**
   * Of topics that do not exist yet; those that do keep theirs. A sidecar handles all partitions of a component one after
   * the other, so more than there are replicas only make smaller batches.
   */
  partitions: number;
  logFile: string;
  env: Record<string, string>;
}): ProcessSpec {
  const folder = join(options.dataDir, 'broker');
  const topics = meshTopics(options.moreTopics);
  mkdirSync(folder, { recursive: true });
  return {
    name: 'broker',
    file: options.program,
    args: [
      ...['-port', String(options.port), '-data-dir', folder],
      ...['-partitions', String(options.partitions), '-topics', topics.join(',')],
    ],
    env: options.env,
    logFile: options.logFile,
    stopSignal: 'SIGTERM',
    stopWithinMs: 5_000,
    isReady: () => accepts(options.port),
  };
}

/** Every topic of the catalogue with its dead letters, and what a test adds; none twice. */
export const meshTopics = (more: readonly string[]): string[] => [...new Set([...topicNames(), ...more])];
