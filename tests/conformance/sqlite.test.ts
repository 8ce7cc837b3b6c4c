// The state API over `state.sqlite`, the store of most services in the local profile.
import { afterAll, beforeAll, describe } from '@jest/globals';
import { sidecarFeatures } from '#kit/testing/sidecar-features';
import { type App, type Bench, startBench } from './harness.ts';
import { stateTraps } from './state-traps.ts';

let bench: Bench;
let app: App;
beforeAll(async () => {
  bench = await startBench({ broker: false });
  app = await bench.app({ appId: 'probe' });
}, 60_000);
afterAll(() => bench.stop());

describe('what the kit relies on', () => sidecarFeatures(() => app.sidecar, 'statestore'));
describe('what the kit steers clear of', () => stateTraps(() => app.daprPort, 'statestore'));
