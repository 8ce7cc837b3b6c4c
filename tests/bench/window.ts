// A measured window: CPU of each process, calls through the sidecars, and what others did meanwhile.
import { setTimeout as pause } from 'node:timers/promises';
import { type Calls, callsBetween, readCalls } from './calls.ts';
import { cpuOf, kernelCpu, machineCpu, readProcesses } from './processes.ts';
import type { Subject } from './subject.ts';

export interface Window {
  readonly seconds: number;
  /** Milliseconds of CPU by process name. */
  readonly cpu: ReadonlyMap<string, number>;
  /** Of the process that drives the load, which is this one. */
  readonly driver: number;
  /** Cores that processes used which are none of ours. */
  readonly others: number;
  readonly calls: Calls;
}

/** How often it is looked whether a subject has come to rest, and for how long at most. */
const LOOK_MS = 250;
const REST_WITHIN_MS = 30_000;

/** Does the work and waits until the subject has come to rest: views have caught up, and CPU is as when idle. */
export async function measure<T>(
  subject: Subject,
  all: readonly Subject[],
  idleCores: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly window: Window }> {
  const callsBefore = await readCalls(subject.mesh);
  const before = snapshot(subject, all);
  const result = await work();
  await untilAtRest(subject, idleCores);
  const after = snapshot(subject, all);
  const calls = callsBetween(callsBefore, await readCalls(subject.mesh));
  const seconds = (after.at - before.at) / 1_000;
  const cpu = new Map([...after.cpu].map(([name, ms]) => [name, ms - (before.cpu.get(name) ?? 0)]));
  const others = (after.machine - before.machine - (after.known - before.known)) / 1_000 / seconds;
  return { result, window: { seconds, cpu, driver: after.driver - before.driver, others: Math.max(0, others), calls } };
}

/** Cores that a subject uses when nobody asks anything of it. */
export async function idleCoresOf(subject: Subject, seconds: number): Promise<number> {
  const before = total(subject);
  await pause(seconds * 1_000);
  return (total(subject) - before) / 1_000 / seconds;
}

/** Two looks in a row near the idle level; views gather for a second, so that one quiet moment says nothing. */
async function untilAtRest(subject: Subject, idleCores: number): Promise<void> {
  const end = performance.now() + REST_WITHIN_MS;
  const quiet = idleCores * 1.5 + 0.08;
  let before = total(subject);
  let since = performance.now();
  for (let calm = 0; calm < 5 && performance.now() < end; ) {
    await pause(LOOK_MS);
    const now = total(subject);
    const cores = (now - before) / (performance.now() - since);
    calm = cores <= quiet ? calm + 1 : 0;
    before = now;
    since = performance.now();
  }
}

function total(subject: Subject): number {
  const table = readProcesses();
  return subject.mesh.processes.reduce((sum, { pid }) => sum + (pid === undefined ? 0 : cpuOf(table, pid)), 0);
}

function snapshot(subject: Subject, all: readonly Subject[]) {
  const machine = machineCpu();
  const table = readProcesses();
  const ofMesh = (each: Subject) =>
    each.mesh.processes.flatMap(({ name, pid }) => (pid === undefined ? [] : [[name, cpuOf(table, pid)] as const]));
  const { user, system } = process.cpuUsage();
  const driver = (user + system) / 1_000;
  const known = all.flatMap(ofMesh).reduce((sum, [, ms]) => sum + ms, driver + kernelCpu(table));
  return { at: performance.now(), machine, cpu: new Map(ofMesh(subject)), driver, known };
}
