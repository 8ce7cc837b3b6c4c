// What can go wrong in a seed, and what it may touch: the one shape that every kind of fault has.
import type { Mesh } from '../../stack/mesh.ts';

/** One thing that goes wrong. Everything random comes from the seed. */
export interface Fault {
  /** As the report shows it: `kill payment-dapr`, `doubled deliveries to order`. */
  readonly name: string;
  /** Processes whose work it disturbs, for the coverage table. */
  readonly hits: readonly string[];
  /** Does the harm; resolves when the harm is done or under way. */
  strike(world: ChaosWorld): Promise<void>;
  /** Takes it back; resolves when nothing of it is left. Called also after a failed strike. */
  heal(world: ChaosWorld): Promise<void>;
}

/** What a fault may touch. */
export interface ChaosWorld {
  readonly mesh: Mesh;
  readonly random: () => number;
  readonly log: (line: string) => void;
}
