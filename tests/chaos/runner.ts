// A mesh whose runner is another process: to its users a mesh like any other, and its runner can be killed and started again.
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RECORD } from '../../stack/layout.ts';
import type { Mesh } from '../../stack/mesh.ts';
import type { AppPorts, PortPlan } from '../../stack/ports.ts';
import { RunRecord } from '../../stack/run-record.ts';
import type { Secrets } from '../../stack/secrets.ts';
import type { ProcessHandle } from '../../stack/supervised.ts';
import type { Deed, FromRunner, ProcessNews, RunnerOptions, ToRunner } from './runner-protocol.ts';

const PROGRAM = fileURLToPath(new URL('./runner-process.ts', import.meta.url));
/** A runner that takes longer than this to answer a stop is ended with all it has. */
const STOP_WITHIN_MS = 40_000;

export interface RunnerHooks {
  /** All is laid out and nothing runs yet: at each start of a runner. */
  readonly onStart?: (mesh: RunnerMesh) => void;
  /** Before a killed runner is replaced: the mesh's ports have to be free. */
  readonly beforeRestart?: () => Promise<void>;
  readonly log?: (line: string) => void;
}

interface Known {
  readonly url: string;
  readonly ports: PortPlan;
  readonly secrets: Secrets;
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/** A mesh under a runner that is a child of ours. */
export class RunnerMesh implements Mesh {
  readonly dataDir: string;
  readonly #options: RunnerOptions;
  readonly #hooks: RunnerHooks;
  readonly #handles = new Map<string, RemoteProcess>();
  readonly #waiting = new Map<number, Waiting>();
  #runner: ChildProcess | undefined;
  #laidOut: Known | undefined;
  #calls = 0;

  private constructor(options: RunnerOptions, hooks: RunnerHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.dataDir = options.dataDir;
  }

  /** Starts a runner and waits until its mesh is ready. @throws {Error} what the runner failed of; nothing is left then */
  static async start(options: RunnerOptions, hooks: RunnerHooks = {}): Promise<RunnerMesh> {
    const mesh = new RunnerMesh(options, hooks);
    await mesh.#launch(options.fresh ?? false);
    return mesh;
  }

  get url(): string {
    return this.#known.url;
  }
  get ports(): PortPlan {
    return this.#known.ports;
  }
  get secrets(): Secrets {
    return this.#known.secrets;
  }
  get processes(): readonly ProcessHandle[] {
    return [...this.#handles.values()];
  }
  get runnerPid(): number | undefined {
    return this.#runner?.pid;
  }

  process(name: string): ProcessHandle {
    const found = this.#handles.get(name);
    if (!found) throw new RangeError(`There is no process "${name}", only ${[...this.#handles.keys()].join(', ')}.`);
    return found;
  }

  portsOf(name: string): AppPorts {
    const own = this.ports.apps[name];
    if (!own) throw new RangeError(`"${name}" has no ports, only ${Object.keys(this.ports.apps).join(', ')}.`);
    return own;
  }

  sidecar(name: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('dapr-api-token', String(this.secrets[`dapr-api-token-${name.replace(/-\d+$/, '')}`]));
    return fetch(`http://127.0.0.1:${this.portsOf(name).daprHttp}${path}`, { ...init, headers });
  }

  /** kill -9 of the runner alone: everything that it started lives on, without anybody who restarts it. */
  async killRunner(): Promise<void> {
    const runner = this.#runner;
    if (!runner) return;
    const gone = new Promise((resolve) => runner.once('exit', resolve));
    runner.kill('SIGKILL');
    await gone;
  }

  /** A new runner on the same data: it ends what the one before left, and starts all again. */
  async startRunner(): Promise<void> {
    await this.#hooks.beforeRestart?.();
    await this.#launch(false);
  }

  async #launch(fresh: boolean): Promise<void> {
    const runner = fork(PROGRAM, [], {
      execArgv: ['--no-warnings'],
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#runner = runner;
    const up = Promise.withResolvers<void>();
    runner.on('message', (message: FromRunner) => {
      if (message.say === 'up') up.resolve();
      else if (message.say === 'failed') up.reject(new Error(message.why));
      else this.#hear(message);
    });
    runner.once('exit', (code, signal) => {
      const error = new Error(`the runner ended (${signal ?? `exit code ${code}`})`);
      up.reject(error);
      if (this.#runner !== runner) return;
      this.#runner = undefined;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    runner.send({ say: 'start', options: { ...this.#options, fresh } } satisfies ToRunner);
    try {
      await up.promise;
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.#runner) {
      const late = AbortSignal.timeout(STOP_WITHIN_MS);
      const lateness = new Promise<void>((resolve) => late.addEventListener('abort', () => resolve()));
      await Promise.race([this.order('stop-mesh', '').catch(() => {}), lateness]);
    }
    await this.#end();
  }

  hasten(): void {
    void this.#end();
  }

  /** Has the runner do something to a process. */
  order(deed: Deed, name: string, ...args: unknown[]): Promise<void> {
    const id = ++this.#calls;
    const runner = this.#runner;
    if (!runner?.connected) return Promise.reject(new Error(`${deed} ${name}: there is no runner`));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      runner.send({ say: 'do', id, deed, name, args } satisfies ToRunner);
    });
  }

  #hear(message: Exclude<FromRunner, { say: 'up' | 'failed' }>): void {
    switch (message.say) {
      case 'starting':
        this.#laidOut = message;
        this.#hooks.onStart?.(this);
        break;
      case 'log':
        this.#hooks.log?.(message.line);
        break;
      case 'news':
        for (const news of message.processes) {
          const known = this.#handles.get(news.name);
          if (known) known.news = news;
          else this.#handles.set(news.name, new RemoteProcess(this, news));
        }
        break;
      case 'done': {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if (message.error === undefined) waiting?.resolve();
        else waiting?.reject(new Error(message.error));
      }
    }
  }

  /** Whatever is left of the runner and of what it started. */
  async #end(): Promise<void> {
    await this.killRunner();
    const record = join(this.dataDir, RECORD);
    if (existsSync(record)) (await RunRecord.claim(record)).release();
  }

  get #known(): Known {
    if (!this.#laidOut) throw new Error('the mesh was never laid out');
    return this.#laidOut;
  }
}

class RemoteProcess implements ProcessHandle {
  readonly #mesh: RunnerMesh;
  news: ProcessNews;

  constructor(mesh: RunnerMesh, news: ProcessNews) {
    this.#mesh = mesh;
    this.news = news;
  }

  get name(): string {
    return this.news.name;
  }
  get pid(): number | undefined {
    return this.news.pid;
  }
  get state() {
    return this.news.state;
  }
  get restarts(): number {
    return this.news.restarts;
  }

  kill(signal?: NodeJS.Signals): Promise<void> {
    return this.#order('kill', ...(signal ? [signal] : []));
  }
  pause(): void {
    this.#order('pause').catch(() => {}); // a runner that is dead freezes nobody
  }
  resume(): void {
    this.#order('resume').catch(() => {});
  }
  stop(signal?: NodeJS.Signals): Promise<void> {
    return this.#order('stop', ...(signal ? [signal] : []));
  }
  start(): Promise<void> {
    return this.#order('start');
  }
  restart(): Promise<void> {
    return this.#order('restart');
  }
  waitReady(withinMs?: number): Promise<void> {
    return this.#order('waitReady', ...(withinMs === undefined ? [] : [withinMs]));
  }
  logs(): string {
    const file = join(this.#mesh.dataDir, 'logs', `${this.name}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  #order(deed: Deed, ...args: unknown[]): Promise<void> {
    return this.#mesh.order(deed, this.name, ...args);
  }
}
