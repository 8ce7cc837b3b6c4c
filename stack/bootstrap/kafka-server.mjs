// How Apache Kafka is run as one small node (KRaft: broker and controller in one process), without its shell scripts.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One line of a class path; always in the same order, or the class archive does not fit. */
const classPath = (folder) => {
  const libs = join(folder, 'libs');
  return readdirSync(libs)
    .sort()
    .map((jar) => join(libs, jar))
    .join(':');
};

/** Starts in 1 s instead of 3, with 150 MiB instead of 330 (measured): a small heap, quick compiler only, classes from an archive. */
const flags = ['-Xmx160m', '-Xms48m', '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** The archive of parsed classes: made once, at the end of a run. Another Java ignores it. */
export const classArchive = (folder) => join(folder, 'kafka.jsa');

/** Java's arguments to run the node; `archiving` names an archive to be written at the end of this run. */
export function serverArgs(folder, properties, archiving) {
  const archive = classArchive(folder);
  const use = archiving ? [`-XX:ArchiveClassesAtExit=${archiving}`] : [`-XX:SharedArchiveFile=${archive}`];
  const log = `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`;
  return [
    ...flags,
    ...(archiving || existsSync(archive) ? use : []),
    log,
    '-cp',
    classPath(folder),
    'kafka.Kafka',
    properties,
  ];
}

/** Java's arguments to make the folder of its log, once. */
export function formatArgs(folder, properties) {
  const cluster = 'AAAAAAAAAAAAAAAAAAAAAQ'; // any uuid in base64
  const storage = ['kafka.tools.StorageTool', 'format', '-t', cluster, '-c', properties, '--ignore-formatted'];
  return [...flags, '-cp', classPath(folder), ...storage];
}

/** The text of `server.properties`. Topics are kept for ever and made by name, as on the local broker. */
export function serverProperties({ port, controllerPort, logs }) {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': logs,
    'auto.create.topics.enable': false,
    'log.retention.ms': -1,
    'offsets.retention.minutes': 5_256_000, // ten years: consumers that were away for a week go on where they were
    // Killed, it comes back only when its old registration has ended: 3 s instead of 12.
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 2_000,
    'group.initial.rebalance.delay.ms': 0,
    // One node: its own topics cannot have three replicas, and need not have fifty partitions.
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    // Memory: the cleaner alone would take 128 MiB.
    'log.cleaner.dedupe.buffer.size': 2_097_152,
    'log.cleaner.io.buffer.size': 131_072,
    'log.segment.bytes': 67_108_864,
    'log.index.size.max.bytes': 1_048_576,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'background.threads': 2,
  };
  const text = (value) => String(value).replaceAll('\\', '\\\\');
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${text(value)}\n`)
    .join('');
}
