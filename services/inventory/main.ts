// Wiring only.
import { runService } from '#kit/http/service';
import { inventoryService } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'inventory',
  config: Config,
  start: (host) => inventoryService({ ...host, sweepAfterSeconds: host.config.MOVEMENT_SWEEP_SECONDS }),
});
