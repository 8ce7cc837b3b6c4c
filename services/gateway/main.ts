// Wiring only.
import { runService } from '#kit/http/service';
import { gatewayApp } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'gateway',
  config: Config,
  open: true,
  // The sidecar takes no more than 8 KiB of headers and adds some.
  maxHeaderSize: 6_144,
  // Waiting clients hold a connection each.
  connections: 512,
  start: (host) => {
    const { CORS_ORIGINS: origins, READY_AFTER_FILE: readyFile } = host.config;
    return { app: gatewayApp({ ...host, origins, readyFile }) };
  },
});
