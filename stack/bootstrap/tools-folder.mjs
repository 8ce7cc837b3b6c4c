// What some component sets need besides daprd, and where it lies once it is installed: in the same cache.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './runtime-folder.mjs';

/** The DynamoDB emulator; its lock file comes with the crate. Its default features add tools that nothing here uses. */
export const DYNOXIDE = { crate: 'dynoxide-rs', version: '3.2.0', features: 'native-sqlite,http-server,cli' };

/** Files that say what Apache Kafka consists of. */
export const kafkaSources = join(dirname(fileURLToPath(import.meta.url)), 'kafka');

/**
 * Which placeholder of a component is answered by which process. The runner starts what the components of a profile
 * ask for, and nothing else.
 */
export const providers = {
  BROKER_PORT: 'kfake',
  KAFKA_PORT: 'kafka',
  POSTGRES_PORT: 'postgres',
  DYNAMODB_ENDPOINT: 'dynoxide',
  SMTP_PORT: 'mail',
  CARD_PROVIDER_PORT: 'card-provider',
  REDIS_PORT: 'redis-server',
};

/** The processes that a resource's text asks for. */
export function providersIn(text) {
  const asked = Object.entries(providers).filter(([name]) => text.includes(`\${${name}}`));
  return asked.map(([, provider]) => provider);
}

/** Folder of a tool in the cache, named by all that goes into it. */
export function toolFolder(tool) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} `);
  if (tool === 'dynoxide') hash.update(JSON.stringify(DYNOXIDE));
  else for (const file of readdirSync(kafkaSources).sort()) hash.update(readFileSync(join(kafkaSources, file)));
  return join(cacheFolder(), `${tool}-${hash.digest('hex').slice(0, 16)}`);
}

/** The program `dynoxide` or `redis-server`, the folder of `kafka`; undefined while it is not installed. */
export function findTool(tool) {
  if (tool === 'redis-server') {
    const folders = (process.env.PATH ?? '').split(delimiter);
    return folders.map((folder) => join(folder, tool)).find((file) => existsSync(file));
  }
  const path = tool === 'dynoxide' ? join(toolFolder(tool), 'bin', tool) : toolFolder(tool);
  return existsSync(path) ? path : undefined;
}

/** The Java that Kafka runs on. */
export function javaProgram() {
  return process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
}
