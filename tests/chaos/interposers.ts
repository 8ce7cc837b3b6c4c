// The proxies of a mesh: one each way between every chosen service and its sidecar.
import type { Mesh, MeshOptions } from '../../stack/mesh.ts';
import type { AppPorts } from '../../stack/ports.ts';
import { Interposer } from './interposer.ts';
import { replicasOf } from './replicas.ts';

/** `toApp`: deliveries and calls to the service (of the gateway: clients too). `toSidecar`: what the service asks of its sidecar. */
export type Side = 'toApp' | 'toSidecar';

export class Interposers {
  readonly #appIds: readonly string[];
  readonly #sides = new Map<string, Record<Side, Interposer>>();
  /** To be spread into the options of a mesh of this process; for one under another runner: `interpose` and `open`. */
  readonly options: Required<Pick<MeshOptions, 'interpose' | 'onStart'>>;

  constructor(appIds: readonly string[]) {
    this.#appIds = appIds;
    this.options = { interpose: appIds, onStart: (mesh) => this.open(mesh) };
  }

  /** Takes the ports, before the mesh runs; they stay taken when its runner dies. */
  open({ ports }: Pick<Mesh, 'ports'>): void {
    for (const name of this.#appIds.flatMap((appId) => replicasOf({ ports }, appId))) {
      const { app, daprHttp, toApp, toSidecar } = ports.apps[name] as AppPorts;
      this.#sides.set(name, { toApp: new Interposer(toApp, app), toSidecar: new Interposer(toSidecar, daprHttp) });
    }
  }

  /** Those of a service's replicas. @throws {RangeError} nobody stands there */
  of(mesh: Mesh, appId: string, side: Side): Interposer[] {
    const found = replicasOf(mesh, appId).flatMap((name) => this.#sides.get(name)?.[side] ?? []);
    if (found.length === 0) throw new RangeError(`nobody stands between ${appId} and its sidecar`);
    return found;
  }

  /** After the mesh has stopped. */
  async close(): Promise<void> {
    const all = [...this.#sides.values()].flatMap((sides) => Object.values(sides));
    await Promise.all(all.map((each) => each.close()));
  }
}
