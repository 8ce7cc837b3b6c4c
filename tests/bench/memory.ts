// Memory of a subject, by process: PSS, so that the parts add up.
import { pssOf, readProcesses, treeOf } from './processes.ts';
import type { Subject } from './subject.ts';
import { besides } from './subject.ts';

export interface Memory {
  /** MiB, without the provider simulator and the mail sink. */
  readonly total: number;
  readonly of: Readonly<Record<string, number>>;
}

export function memoryOf({ mesh }: Subject): Memory {
  const table = readProcesses();
  const of = Object.fromEntries(
    mesh.processes.flatMap(({ name, pid }) =>
      pid === undefined ? [] : [[name, Math.round(pssOf(treeOf(table, pid)) / 2 ** 20)] as const],
    ),
  );
  const total = Object.entries(of).reduce((sum, [name, mib]) => sum + (besides.has(name) ? 0 : mib), 0);
  return { total, of };
}
