// What a mesh has to be started with so that the faults of a seed can be done to it.
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { root } from '../../stack/layout.ts';
import type { Mesh } from '../../stack/mesh.ts';
import { resourceFolders } from '../../stack/render.ts';
import { Disks } from './disks.ts';
import { Clocks } from './faults/clock.ts';
import { allowHotReload } from './faults/settings.ts';
import { Interposers } from './interposers.ts';
import type { RunnerOptions } from './runner-protocol.ts';

/** What one fault asks for. */
export interface Needs {
  /** Service that runs twice. */
  readonly replicated?: string;
  /** Service between which and its sidecar somebody stands. */
  readonly interposed?: string;
  /** Service whose clock can be moved. */
  readonly clock?: string;
  /** Store with a small disk of its own. */
  readonly disk?: string;
  /** Sidecars see edits of their files by themselves. */
  readonly hotReload?: boolean;
}

export type Broker = 'kfake' | 'kafka';

export class Rig {
  /** Where the broker keeps its log, below the data folder. */
  readonly brokerFolder: string;
  readonly interposers: Interposers;
  readonly clocks: Clocks;
  readonly disks: Disks;
  /** To be spread into the options of the mesh. */
  readonly options: Pick<RunnerOptions, 'replicas' | 'interpose' | 'env' | 'resources'>;
  readonly #hotReload: boolean;
  #started = false;

  /** @param dataDir where the components go when they are others than those of the local profile */
  constructor(needs: readonly Needs[], broker: Broker, dataDir: string) {
    this.brokerFolder = broker === 'kafka' ? 'kafka' : 'broker';
    const wanted = (what: keyof Omit<Needs, 'hotReload'>) => [
      ...new Set(needs.map((each) => each[what]).filter((each) => each !== undefined)),
    ];
    this.interposers = new Interposers(wanted('interposed'));
    this.clocks = new Clocks(wanted('clock'));
    this.disks = new Disks(wanted('disk').map((disk) => (disk === 'broker' ? this.brokerFolder : disk)));
    this.#hotReload = needs.some(({ hotReload }) => hotReload);
    const replicas = Object.fromEntries(wanted('replicated').map((appId) => [appId, 2]));
    const resources = broker === 'kafka' ? { resources: withKafka(dataDir) } : {};
    this.options = { replicas, interpose: wanted('interposed'), env: this.clocks.env, ...resources };
  }

  /** Nothing of the mesh runs yet, or nothing any more: also at each new start of the runner. */
  onStart(mesh: Mesh): void {
    if (!this.#started) this.disks.open(mesh);
    this.#started = true;
    if (this.#hotReload) allowHotReload(mesh);
    this.interposers.options.onStart(mesh);
  }

  /** The ports have to be free when a runner starts. */
  async beforeRestart(): Promise<void> {
    await this.interposers.close();
  }

  /** After the mesh has stopped. `keep`: what lies on its small disks goes to the data folder. */
  async close(dataDir: string, keep: boolean): Promise<void> {
    await this.interposers.close();
    if (keep) for (const name of readdirSync(dataDir)) settle(join(dataDir, name));
    this.disks.close();
    this.clocks.close();
  }
}

/** The local components with Apache Kafka as their broker. */
function withKafka(dataDir: string): string[] {
  const folder = join(dataDir, 'components');
  const [local = '', ...others] = resourceFolders(root, 'local');
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(local)) {
    const text = readFileSync(join(local, file), 'utf8');
    writeFileSync(join(folder, file), text.replaceAll('{BROKER_PORT}', '{KAFKA_PORT}'));
  }
  return [folder, ...others];
}

/** The file itself where there was a link to it. */
function settle(path: string): void {
  if (!lstatSync(path).isSymbolicLink()) return;
  const target = realpathSync(path);
  rmSync(path);
  cpSync(target, path, { recursive: true });
  for (const suffix of ['-wal', '-shm'])
    if (existsSync(`${target}${suffix}`)) cpSync(`${target}${suffix}`, `${path}${suffix}`);
}
