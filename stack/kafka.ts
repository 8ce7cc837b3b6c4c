// Apache Kafka as one process (KRaft), with every topic made by name.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { formatArgs, serverArgs, serverProperties } from './bootstrap/kafka-server.mjs';
import { javaProgram } from './bootstrap/tools-folder.mjs';
import { meshTopics } from './broker.ts';
import { StackError } from './errors.ts';
import { accepts } from './probe.ts';
import type { ProcessSpec } from './supervised.ts';

const exec = promisify(execFile);
/** Milliseconds that Java may take to make the log's folder, and a broker to make its topics. */
const PATIENCE_MS = 60_000;

/**
 * Takes the place of `brokerProcess`, by the same name. After a kill -9 it is back within 4 s: the new process waits
 * until the registration of the old one has ended.
 */
export function kafkaProcess(options: {
  /** Folder of the installed Kafka (`findTool('kafka')`). */
  program: string;
  /** Our broker program, which also makes topics at another broker. */
  kfake: string;
  dataDir: string;
  port: number;
  controllerPort: number;
  moreTopics: readonly string[];
  /** Of topics that do not exist yet; those that do keep theirs. */
  partitions: number;
  logFile: string;
  env: Record<string, string>;
}): ProcessSpec {
  const { program, kfake, dataDir, port, controllerPort, moreTopics, partitions, logFile, env } = options;
  const folder = join(dataDir, 'kafka');
  const logs = join(folder, 'log');
  const formatted = join(folder, 'formatted');
  const properties = join(folder, 'server.properties');
  mkdirSync(folder, { recursive: true });
  writeFileSync(properties, serverProperties({ port, controllerPort, logs }));

  const format = async () => {
    if (existsSync(formatted)) return;
    rmSync(logs, { recursive: true, force: true }); // of a first start that was interrupted
    await exec(javaProgram(), formatArgs(program, properties), { env, timeout: PATIENCE_MS }).catch((cause) => {
      throw new StackError(`Kafka's folder ${logs} could not be made: ${cause.message}`, 'Look at its end.', cause);
    });
    writeFileSync(formatted, '');
  };
  const topics = ['-create', '-port', String(port), '-partitions', String(partitions)];
  let hasTopics = false;
  const makeTopics = async () => {
    try {
      await exec(kfake, [...topics, '-topics', meshTopics(moreTopics).join(',')], { env, timeout: PATIENCE_MS });
      return true;
    } catch {
      return false; // it accepts before it can work, and may be gone again: asked once more
    }
  };
  return {
    name: 'broker',
    file: javaProgram(),
    args: serverArgs(program, properties),
    env,
    logFile,
    stopSignal: 'SIGTERM',
    stopWithinMs: 15_000,
    before: format,
    isReady: async () => {
      if (!(await accepts(port))) return false;
      hasTopics ||= await makeTopics();
      return hasTopics;
    },
  };
}
