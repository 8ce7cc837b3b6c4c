// A process of a test: started until it is ready, killed when the test wants it dead, its words shown only on failure.
import { type ChildProcess, spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { ProcessSpec } from '../../stack/supervised.ts';

/** A process that a test may end and start again. */
export interface Killable {
  kill(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** True while it runs. */
  readonly alive: boolean;
  /** The end of what it wrote. */
  readonly output: string;
}

const READY_WITHIN_MS = 90_000; // Java on a machine with much other work

export class Process implements Killable {
  readonly #spec: Pick<ProcessSpec, 'file' | 'args' | 'env' | 'isReady' | 'before'>;
  #child: ChildProcess | undefined;
  output = '';

  constructor(spec: Pick<ProcessSpec, 'file' | 'args' | 'env' | 'isReady' | 'before'>) {
    this.#spec = spec;
  }

  get alive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const { file, args, env, isReady, before } = this.#spec;
    await before?.();
    const whole = { PATH: process.env.PATH ?? '', HOME: homedir(), ...env };
    const child = spawn(file, args, { env: whole, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        this.output = (this.output + chunk).slice(-16_000);
      });
    }
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await isReady())) {
      if (!this.alive || Date.now() > deadline) {
        await this.kill();
        throw new Error(`${file} did not start:\n${this.output}`);
      }
      await pause(20);
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || !this.alive) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 8_000);
    await gone;
    clearTimeout(late);
  }
}
