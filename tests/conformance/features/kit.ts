// All that the kit promises on a component set.
import type { ComponentSet } from '../sets/set.ts';
import { outboxFeatures } from './outbox.ts';
import { reactorFeatures } from './reactor.ts';
import { redeliveryFeatures } from './redelivery.ts';
import { writePathFeatures } from './write-path.ts';

/** Registers the tests, each group on a bench of its own. */
export function kitFeatures(set: ComponentSet): void {
  writePathFeatures(set);
  outboxFeatures(set);
  reactorFeatures(set);
  redeliveryFeatures(set);
}
