// Small disks of their own (tmpfs) for some stores of a mesh, so that one can be full while the others go on.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mesh } from '../../stack/mesh.ts';
import { isRunning, processStartTime } from '../../stack/run-record.ts';

/** `order`: the SQLite file of that service; `postgres` and `broker`: all that they keep. */
export type DiskName = string;

/** As it stands in /proc/mounts; says whose it is, so that the next runner can tell what a killed one left. */
const LABEL = 'chaos-disk';
const MIB: Record<string, number> = { postgres: 384, broker: 128, kafka: 384 };
const SQLITE_MIB = 32;

/**
 * Mounts in `open`, unmounts in `close`. A killed runner's disks are unmounted by the next one: a mount namespace would
 * do that too, but hide the stores from whoever looks at a failed run.
 */
export class Disks {
  readonly #names: readonly DiskName[];
  readonly #folders = new Map<DiskName, string>();
  /** Why there are none, for example because only root may mount; undefined once they are there. */
  missing: string | undefined = 'the mesh was not started on them';

  constructor(names: readonly DiskName[]) {
    this.#names = names;
    unmountLeftovers();
  }

  /** Before anything of the mesh runs (`MeshOptions.onStart`, or earlier in a data folder that is empty and not `fresh`). */
  open({ dataDir }: Pick<Mesh, 'dataDir'>): void {
    this.missing = undefined;
    for (const name of this.#names) {
      const folder = mkdtempSync(join(tmpdir(), `disk-${name}-`));
      const options = `size=${MIB[name] ?? SQLITE_MIB}m,mode=700`;
      const source = `${LABEL}:${process.pid}:${processStartTime(process.pid)}`;
      const made = spawnSync('mount', ['-t', 'tmpfs', '-o', options, source, folder], { encoding: 'utf8' });
      if (made.status !== 0) {
        rmdirSync(folder);
        this.missing = `no disk could be mounted: ${(made.error?.message ?? made.stderr).trim()}`;
        return;
      }
      this.#folders.set(name, folder);
      if (MIB[name]) {
        mkdirSync(join(folder, name), { mode: 0o700 });
        // Settings may lie there already.
        if (existsSync(join(dataDir, name))) cpSync(join(dataDir, name), join(folder, name), { recursive: true });
        rmSync(join(dataDir, name), { recursive: true, force: true });
        symlinkSync(join(folder, name), join(dataDir, name));
      } else symlinkSync(join(folder, `${name}.db`), join(dataDir, `${name}.db`)); // its journal follows it
    }
  }

  /** Where a disk is mounted. @throws {RangeError} there is none of that name */
  folder(name: DiskName): string {
    const folder = this.#folders.get(name);
    if (!folder) throw new RangeError(`${name} has no disk of its own${this.missing ? `: ${this.missing}` : ''}`);
    return folder;
  }

  /** After the mesh has stopped. */
  close(): void {
    for (const folder of this.#folders.values()) unmount(folder);
    this.#folders.clear();
  }
}

/** Lazily: a process that a killed runner left behind may still have files open there. */
function unmount(folder: string): void {
  spawnSync('umount', ['--lazy', folder]);
  rmdirSync(folder);
}

function unmountLeftovers(): void {
  if (!existsSync('/proc/mounts')) return;
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [source = '', folder = ''] = line.split(' ');
    const [label, pid, startTime = ''] = source.split(':');
    if (label === LABEL && !isRunning({ pid: Number(pid), startTime })) unmount(folder);
  }
}
