// The disk of one store is full: nothing can be written there until somebody makes room.
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskName, Disks } from '../disks.ts';
import type { Fault } from '../fault.ts';

/**
 * Fills the disk of a store. Without the right to mount (not root) there is no such disk: the fault says so and does
 * nothing. `hits` are the processes that write there.
 */
export function fullDisk({ disks, disk, hits }: { disks: Disks; disk: DiskName; hits: readonly string[] }): Fault {
  return {
    name: `full disk of ${disk}`,
    hits,
    async strike({ log }) {
      if (disks.missing) return log(`full disk of ${disk}: skipped, ${disks.missing}`);
      const folder = disks.folder(disk);
      const file = openSync(ballast(folder), 'w');
      try {
        for (const size of [1024 * 1024, 4096]) fill(file, Buffer.alloc(size));
      } finally {
        closeSync(file);
      }
      const { bavail, bsize } = statfsSync(folder);
      log(`full disk of ${disk}: ${bavail * bsize} bytes left`);
    },
    async heal({ mesh }) {
      if (disks.missing) return;
      rmSync(ballast(disks.folder(disk)), { force: true });
      const known = mesh.processes.filter(({ name, state }) => hits.includes(name) && state !== 'stopped');
      await Promise.all(known.map((each) => each.waitReady())); // a database that died of it comes back by itself
    },
  };
}

const ballast = (folder: string): string => join(folder, 'ballast');

function fill(file: number, chunk: Buffer): void {
  try {
    while (writeSync(file, chunk) === chunk.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
