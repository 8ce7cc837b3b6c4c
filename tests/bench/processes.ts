// What processes cost, from /proc: CPU with all children, memory with shared pages split, and what the machine did besides.
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's clock tick as /proc counts it: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

interface Entry {
  readonly parent: number;
  /** Milliseconds of CPU: its own, and of children that have ended. */
  readonly cpu: number;
}

export type ProcessTable = ReadonlyMap<number, Entry>;

/** Every process of the machine that can be seen. */
export function readProcesses(): ProcessTable {
  const table = new Map<number, Entry>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = read(`/proc/${name}/stat`);
    // The command stands in parentheses and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields.length < 15) continue;
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
    table.set(Number(name), { parent: Number(fields[1]), cpu: ticks * TICK_MS });
  }
  return table;
}

/** A process and all below it. */
export function treeOf(table: ProcessTable, root: number): number[] {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of table) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const tree: number[] = [];
  const rest = [root];
  for (let pid = rest.pop(); pid !== undefined; pid = rest.pop()) {
    if (table.has(pid)) tree.push(pid);
    rest.push(...(children.get(pid) ?? []));
  }
  return tree;
}

/** Milliseconds of CPU of a process and all below it, ended ones included. */
export function cpuOf(table: ProcessTable, root: number): number {
  return treeOf(table, root).reduce((sum, pid) => sum + (table.get(pid)?.cpu ?? 0), 0);
}

/** Milliseconds of CPU of the kernel's own threads: disk and network of whoever is measured, for the most part. */
export function kernelCpu(table: ProcessTable): number {
  // In a container process 2 is somebody.
  if (read('/proc/2/comm').trim() !== 'kthreadd') return 0;
  return [...table].reduce((sum, [pid, { parent, cpu }]) => sum + (pid === 2 || parent === 2 ? cpu : 0), 0);
}

/** Bytes of memory, shared pages split among those who share them. */
export function pssOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const kib = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1];
    return sum + Number(kib ?? 0) * 1024;
  }, 0);
}

/**
 * Milliseconds of CPU that the machine spent in processes since it started, and that another machine on the same iron
 * took away. Interrupts are left out: most of them are the network of whoever is measured.
 */
export function machineCpu(): number {
  const [, user, nice, system, , , , , steal] = (read('/proc/stat').split('\n')[0] ?? '').split(/\s+/).map(Number);
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (steal ?? 0)) * TICK_MS;
}

/** Empty for what is gone, or is not ours to read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
