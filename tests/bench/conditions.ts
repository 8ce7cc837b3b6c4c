// Under what a run was made: machine, versions, and how long the disk takes to keep a promise.
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../stack/bootstrap/runtime-folder.mjs';
import { root } from '../../stack/layout.ts';

export interface Conditions {
  readonly at: string;
  readonly machine: string;
  readonly node: string;
  /** Folder of the build, which is named after what went into it. */
  readonly daprd: string;
  readonly load: number;
  /** Milliseconds, median of 64 writes of 4 KiB. */
  readonly fdatasync: number;
}

export function conditionsIn(folder: string): Conditions {
  const [cpu] = cpus();
  return {
    at: new Date().toISOString(),
    machine: `${cpus().length} x ${cpu?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    node: process.version,
    daprd: findProgram(root, 'daprd')?.split('/').at(-2) ?? 'not built',
    load: loadavg()[0] ?? 0,
    fdatasync: syncTime(folder),
  };
}

function syncTime(folder: string): number {
  const path = join(folder, 'fdatasync');
  const file = openSync(path, 'w');
  const times = Array.from({ length: 64 }, () => {
    writeSync(file, Buffer.alloc(4_096, 1));
    const started = performance.now();
    fdatasyncSync(file);
    return performance.now() - started;
  });
  closeSync(file);
  rmSync(path);
  return times.sort((a, b) => a - b)[32] ?? 0;
}
