// One process of the mesh: started, watched, restarted when it dies, and a handle for tests that want it dead.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from './errors.ts';
import { type RunRecord, signalGroup } from './run-record.ts';

export type ProcessState = 'waiting' | 'starting' | 'ready' | 'restarting' | 'paused' | 'stopping' | 'stopped';

/** How to run a process and how to know that it can work. */
export interface ProcessSpec {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly isReady: () => Promise<boolean>;
  /** Asked to leave with this signal... */
  readonly stopSignal: NodeJS.Signals;
  /** ...and killed when it has not left after this time. */
  readonly stopWithinMs: number;
  /** Waited for before each start, for example for the broker that the process cannot start without. */
  readonly before?: () => Promise<void>;
}

/** What tests do to a process. */
export interface ProcessHandle {
  readonly name: string;
  readonly pid: number | undefined;
  readonly state: ProcessState;
  /** How often it was started again after it died. */
  readonly restarts: number;
  /** Sends a signal to the process itself (not its children) and waits until it is dead; the mesh then restarts it. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Freezes it (SIGSTOP) until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it politely (or with `signal`) and keeps it down until `start`. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** `stop`, `start` and `waitReady`. */
  restart(): Promise<void>;
  /** Everything it wrote since the mesh started. */
  logs(): string;
  /** @throws StackError with the log's end when it takes longer than `withinMs` (60 s), or dies five times before it was ever ready. */
  waitReady(withinMs?: number): Promise<void>;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** A process that lived this long starts with the short pause again. */
const HEALTHY_AFTER_MS = 10_000;
const DEATHS_BEFORE_GIVING_UP = 5;
const LARGEST_LOG = 64 * 1024 * 1024;

export class Supervised implements ProcessHandle {
  readonly #spec: ProcessSpec;
  readonly #record: RunRecord;
  readonly #onChange: () => void;
  #child: ChildProcess | undefined;
  #state: ProcessState = 'waiting';
  #wanted = false;
  #exit = Promise.resolve();
  #deaths = 0;
  #everReady = false;
  #pauseMs = FIRST_PAUSE_MS;
  #generation = 0;
  restarts = 0;
  lastExit = '';

  constructor(spec: ProcessSpec, record: RunRecord, onChange: () => void) {
    this.#spec = spec;
    this.#record = record;
    this.#onChange = onChange;
    if (existsSync(spec.logFile)) renameSync(spec.logFile, `${spec.logFile}.1`);
  }

  get name(): string {
    return this.#spec.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get state(): ProcessState {
    return this.#state;
  }

  async start(): Promise<void> {
    if (this.#wanted) return;
    this.#wanted = true;
    await this.#launch(++this.#generation);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const exit = this.#exit;
    if (this.#state === 'paused') this.resume();
    if (this.pid !== undefined) process.kill(this.pid, signal);
    await exit;
  }

  pause(): void {
    if (this.pid === undefined) return;
    signalGroup(this.pid, 'SIGSTOP');
    this.#become('paused');
  }

  resume(): void {
    if (this.pid === undefined) return;
    signalGroup(this.pid, 'SIGCONT');
    this.#become(this.#everReady ? 'ready' : 'starting');
  }

  async stop(signal: NodeJS.Signals = this.#spec.stopSignal): Promise<void> {
    this.#wanted = false;
    this.#generation++;
    const { pid } = this;
    if (pid !== undefined) {
      this.#become('stopping');
      signalGroup(pid, 'SIGCONT');
      // PostgreSQL's own children are its business; only a kill takes the whole group.
      if (signal === 'SIGKILL') signalGroup(pid, signal);
      else process.kill(pid, signal);
      const left = await Promise.race([
        this.#exit.then(() => true),
        sleep(this.#spec.stopWithinMs, false, { ref: false }),
      ]);
      if (!left) {
        this.#note(`did not leave within ${this.#spec.stopWithinMs} ms and was killed`);
        signalGroup(pid, 'SIGKILL');
        await this.#exit;
      }
    }
    this.#become('stopped');
  }

  /** Ends it at once, also when a polite stop is under way. */
  hasten(): void {
    if (this.pid !== undefined) signalGroup(this.pid, 'SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
    await this.waitReady();
  }

  logs(): string {
    return existsSync(this.#spec.logFile) ? readFileSync(this.#spec.logFile, 'utf8') : '';
  }

  async waitReady(withinMs = 60_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (this.#state !== 'ready') {
      if (!this.#wanted) throw this.#failure('was stopped');
      if (!this.#everReady && this.#deaths >= DEATHS_BEFORE_GIVING_UP)
        throw this.#failure(`does not start (${this.lastExit})`);
      if (Date.now() > deadline) throw this.#failure(`was not ready after ${Math.round(withinMs / 1000)} s`);
      await sleep(20);
    }
  }

  /** Keeps the disk from filling in a long run: the log goes to `.1`, and the file begins anew. */
  trimLog(): void {
    const { logFile } = this.#spec;
    if (!existsSync(logFile) || statSync(logFile).size < LARGEST_LOG) return;
    copyFileSync(logFile, `${logFile}.1`);
    truncateSync(logFile); // the child appends, so it goes on at the new end
  }

  async #launch(generation: number): Promise<void> {
    await this.#spec.before?.();
    if (generation !== this.#generation) return;
    const { file, args, env, logFile } = this.#spec;
    const log = openSync(logFile, 'a');
    const startedAt = Date.now();
    // A group of its own: Ctrl-C in the terminal reaches the runner alone, which then stops all in order.
    const child = spawn(file, args, { env, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    if (child.pid !== undefined) this.#record.add(this.name, child.pid);
    this.#become('starting');
    this.#exit = new Promise((resolve) => {
      const gone = (how: string) => {
        if (this.#child !== child) return;
        this.#child = undefined;
        this.#record.remove(this.name);
        this.lastExit = how;
        resolve();
        if (this.#wanted && generation === this.#generation) void this.#revive(Date.now() - startedAt, generation);
      };
      child.once('exit', (code, signal) => gone(signal ? `signal ${signal}` : `exit code ${code}`));
      child.once('error', (error) => gone(error.message));
    });
    void this.#watchUntilReady(child);
  }

  async #watchUntilReady(child: ChildProcess): Promise<void> {
    while (this.#child === child) {
      if (this.#state !== 'paused' && (await this.#spec.isReady()) && this.#child === child) {
        this.#everReady = true;
        if (this.#state === 'starting') this.#become('ready');
        return;
      }
      await sleep(50, undefined, { ref: false });
    }
  }

  async #revive(livedMs: number, generation: number): Promise<void> {
    this.#deaths++;
    this.restarts++;
    if (livedMs > HEALTHY_AFTER_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.#become('restarting');
    this.#note(`ended (${this.lastExit}); starts again in ${this.#pauseMs} ms`);
    await sleep(this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    if (generation !== this.#generation) return;
    try {
      await this.#launch(generation);
    } catch (error) {
      this.lastExit = (error as Error).message;
      void this.#revive(0, generation);
    }
  }

  #become(state: ProcessState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#onChange();
  }

  #note(text: string): void {
    if (!existsSync(dirname(this.#spec.logFile))) return; // deleted under a running mesh
    const log = openSync(this.#spec.logFile, 'a');
    writeSync(log, `--- ${new Date().toISOString()} ${this.name} ${text}\n`);
    closeSync(log);
  }

  #failure(what: string): StackError {
    const tail = this.logs().trimEnd().split('\n').slice(-15).join('\n');
    return new StackError(
      `${this.name} ${what}. The end of its log:\n${tail}`,
      `The whole log is ${this.#spec.logFile}`,
    );
  }
}
