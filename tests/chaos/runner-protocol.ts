// What the chaos program and the runner that it may kill say to each other, over Node's own channel between them.
import type { MeshOptions } from '../../stack/mesh.ts';
import type { PortPlan } from '../../stack/ports.ts';
import type { Secrets } from '../../stack/secrets.ts';
import type { ProcessState } from '../../stack/supervised.ts';

/** Of the mesh's options those that can be written down. */
export type RunnerOptions = Omit<MeshOptions, 'base' | 'seed' | 'onStart' | 'onChange' | 'log'> & {
  readonly base: number;
  readonly dataDir: string;
};

export interface ProcessNews {
  readonly name: string;
  readonly pid: number | undefined;
  readonly state: ProcessState;
  readonly restarts: number;
}

/** Things to do to a process; `stop-mesh` ends all of them in order. */
export type Deed = 'kill' | 'pause' | 'resume' | 'stop' | 'start' | 'restart' | 'waitReady' | 'stop-mesh';

export type ToRunner =
  | { readonly say: 'start'; readonly options: RunnerOptions }
  | { readonly say: 'do'; readonly id: number; readonly deed: Deed; readonly name: string; readonly args: unknown[] };

export type FromRunner =
  /** All is laid out and nothing runs yet. */
  | { readonly say: 'starting'; readonly url: string; readonly ports: PortPlan; readonly secrets: Secrets }
  | { readonly say: 'up' }
  | { readonly say: 'failed'; readonly why: string }
  | { readonly say: 'news'; readonly processes: readonly ProcessNews[] }
  | { readonly say: 'log'; readonly line: string }
  | { readonly say: 'done'; readonly id: number; readonly error?: string };
