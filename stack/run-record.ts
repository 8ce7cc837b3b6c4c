// `run.json`: which processes a mesh started, so that the next start ends what a killed runner left, and nothing else.
import { execFileSync } from 'node:child_process';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from './errors.ts';

/** A process that cannot be mistaken: pids are used again, start times are not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

interface Entry extends ProcessIdentity {
  readonly name: string;
}

interface Content {
  readonly runner: ProcessIdentity;
  readonly processes: readonly Entry[];
}

const TERM_PATIENCE_MS = 8_000;

/** When a process started, in the system's own words; undefined when there is no such process. */
export function processStartTime(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the command may hold blanks and parentheses
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined; // dead, only not yet fetched by its parent
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

export const isRunning = ({ pid, startTime }: ProcessIdentity): boolean => processStartTime(pid) === startTime;

/** The record of one mesh, and the lock on its data folder. */
export class RunRecord {
  readonly #file: string;
  readonly #runner: ProcessIdentity;
  readonly #entries = new Map<string, Entry>();

  private constructor(file: string, runner: ProcessIdentity) {
    this.#file = file;
    this.#runner = runner;
  }

  /**
   * Takes the data folder: ends the processes that a killed runner left there.
   * @param onStray told about each one.
   * @throws StackError when another runner is alive on the folder.
   */
  static async claim(file: string, onStray: (name: string, pid: number) => void = () => {}): Promise<RunRecord> {
    const runner = { pid: process.pid, startTime: processStartTime(process.pid) ?? '' };
    const record = new RunRecord(file, runner);
    const draft = record.#draft();
    try {
      for (;;) {
        try {
          linkSync(draft, file); // fails when it exists: two starts at once cannot both win
          return record;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        }
        await takeOver(file, onStray);
      }
    } finally {
      rmSync(draft, { force: true });
    }
  }

  /** Notes a process just started; call it in the same tick as the start. */
  add(name: string, pid: number): void {
    this.#entries.set(name, { name, pid, startTime: processStartTime(pid) ?? '' });
    this.#write();
  }

  remove(name: string): void {
    if (!this.#entries.delete(name)) return;
    try {
      this.#write();
    } catch (error) {
      // Somebody deleted the data of a running mesh: what still runs must be ended all the same.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** Gives the data folder back. */
  release(): void {
    rmSync(this.#file, { force: true });
  }

  #write(): void {
    renameSync(this.#draft(), this.#file);
  }

  #draft(): string {
    const draft = `${this.#file}.${process.pid}`;
    const content: Content = { runner: this.#runner, processes: [...this.#entries.values()] };
    writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    return draft;
  }
}

async function takeOver(file: string, onStray: (name: string, pid: number) => void): Promise<void> {
  const found = read(file);
  if (found && isRunning(found.runner)) {
    throw new StackError(
      `Another mesh runs on ${dirname(file)} (process ${found.runner.pid}).`,
      'Stop it first, or name another data folder with --data and other ports with --base.',
    );
  }
  const aside = join(dirname(file), `run.json.left-by-${found?.runner.pid ?? 'unknown'}.${process.pid}`);
  try {
    renameSync(file, aside); // of two starts at once one gets it
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const taken = read(aside);
  if (taken && isRunning(taken.runner)) {
    linkSync(aside, file); // a live runner's, made between our look and our grip: give it back
    rmSync(aside);
    return;
  }
  await endStrays(taken?.processes ?? [], onStray);
  rmSync(aside);
}

async function endStrays(entries: readonly Entry[], onStray: (name: string, pid: number) => void): Promise<void> {
  const strays = entries.filter(isRunning);
  for (const { name, pid } of strays) {
    onStray(name, pid);
    signalGroup(pid, 'SIGCONT');
    signalGroup(pid, name === 'postgres' ? 'SIGINT' : 'SIGTERM'); // PostgreSQL waits for its clients on SIGTERM
  }
  const deadline = Date.now() + TERM_PATIENCE_MS;
  while (strays.some(isRunning) && Date.now() < deadline) await sleep(50);
  for (const stray of strays.filter(isRunning)) signalGroup(stray.pid, 'SIGKILL');
  while (strays.some(isRunning)) await sleep(20);
}

/** Sends a signal to a process and its children (each process of a mesh leads a group); one that is gone is no fault. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function read(file: string): Content | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Content;
  } catch {
    return undefined; // half-written by a full disk, or gone
  }
}
