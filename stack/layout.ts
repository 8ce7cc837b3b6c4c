// Where things lie on disk.
import { accessSync, constants, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StackError } from './errors.ts';

export interface Layout {
  readonly root: string;
  /** What survives a restart: documents, the broker's log, PostgreSQL, secrets. */
  readonly data: string;
  /** What is made anew at each start: rendered resources, name resolution. */
  readonly run: string;
  readonly logs: string;
}

/** The repository. */
export const root = resolve(fileURLToPath(import.meta.url), '..', '..');

const MIB = 1024 * 1024;
const NEEDED_BYTES = 300 * MIB;
/** File that says who runs here (see `run-record.ts`). */
export const RECORD = 'run.json';

export function layout(profile: string, data?: string): Layout {
  const folder = resolve(data ?? join(root, '.data', profile));
  return { root, data: folder, run: join(folder, 'run'), logs: join(folder, 'logs') };
}

/** Makes the data folder and looks whether it can be used. */
export function openFolder({ data }: Layout): void {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    accessSync(data, constants.W_OK);
  } catch (cause) {
    throw new StackError(
      `The data folder ${data} cannot be written: ${(cause as Error).message}`,
      'Make it writable, or name another with --data <folder>.',
      cause,
    );
  }
  const { bavail, bsize } = statfsSync(data);
  if (bavail * bsize < NEEDED_BYTES) {
    throw new StackError(
      `The disk under ${data} has ${Math.floor((bavail * bsize) / MIB)} MiB left; ${NEEDED_BYTES / MIB} are needed.`,
      'Free some space, or name a folder on another disk with --data <folder>.',
    );
  }
}

/** Empties what is made anew at each start, and with `fresh` all data too. Call it only while the folder is claimed. */
export function clearFolder({ data, run, logs }: Layout, fresh: boolean): void {
  const kept = readdirSync(data).filter((entry) => entry !== RECORD);
  for (const entry of fresh ? kept : ['run']) rmSync(join(data, entry), { recursive: true, force: true });
  for (const folder of [run, logs]) mkdirSync(folder, { recursive: true, mode: 0o700 });
}
