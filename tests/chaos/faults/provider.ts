// The card provider has a bad time of its own: all of it is in its control side.
import { type FaultsPatch, providerControl } from '../../simulators/card-provider/control-client.ts';
import type { ChaosWorld, Fault } from '../fault.ts';

/** How long a healthy provider takes for an answer, in milliseconds: a real one is no loopback call. */
export const PROVIDER_DELAY_MS = 150;

const TROUBLES: Readonly<Record<string, FaultsPatch>> = {
  down: { down: true },
  'refuses connections': { down: 'refuse' },
  'loses its answers': { dropNext: 25 },
  fails: { failNext: 25 },
  'is slow': { delayMs: 4_000 },
  'sends its webhooks twice, late and in disorder': { webhooks: { double: true, reorder: true, delayMs: 1_500 } },
};

/** What can be wrong with it, by its name in the report. */
export const providerTroubles: readonly string[] = Object.keys(TROUBLES);

export function providerTrouble(trouble: string): Fault {
  const patch = TROUBLES[trouble];
  if (!patch) throw new RangeError(`the card provider knows no trouble "${trouble}"`);
  return {
    name: `provider ${trouble}`,
    hits: ['card-provider'],
    strike: async ({ mesh }) => void (await control(mesh).faults(patch)),
    heal: ({ mesh }) => calmProvider(mesh),
  };
}

/** Ends all faults of the provider and gives it its usual pace; needed again after each of its starts. */
export async function calmProvider(mesh: ChaosWorld['mesh']): Promise<void> {
  await control(mesh).reset();
  await control(mesh).faults({ delayMs: PROVIDER_DELAY_MS, slowCardMs: 3_000 });
}

const control = (mesh: ChaosWorld['mesh']) => providerControl(`http://127.0.0.1:${mesh.ports.cardProvider}`);
