// A service and its further replicas in a mesh.
import type { Mesh } from '../../stack/mesh.ts';

/** Names of a service's processes, sidecars left out: `payment`, `payment-2`, but not `payment-provider`. */
export function replicasOf({ ports }: Pick<Mesh, 'ports'>, appId: string): string[] {
  return Object.keys(ports.apps).filter((name) => name.replace(/-\d+$/, '') === appId);
}
