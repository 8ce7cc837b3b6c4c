// Wiring only.
import { runService } from '#kit/http/service';
import { paymentService } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'payment',
  config: Config,
  start: (host) => paymentService({ ...host, providerTimeout: host.config.PROVIDER_TIMEOUT_MS }),
});
