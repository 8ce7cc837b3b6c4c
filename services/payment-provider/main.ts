// Wiring only.
import { runService } from '#kit/http/service';
import { adapterOf } from './adapter.ts';
import { paymentProviderApp } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'payment-provider',
  config: Config,
  start(host) {
    const { config, sidecar, log, draining, name } = host;
    const adapter = adapterOf(
      sidecar,
      {
        sidecarPort: config.DAPR_HTTP_PORT,
        sidecarToken: config.DAPR_API_TOKEN,
        timeoutMs: config.PROVIDER_TIMEOUT_MS,
      },
      log,
    );
    const ready = async () => ({ sidecar: await sidecar.ready(), secrets: adapter.isOpen() });
    const app = paymentProviderApp(
      { ...host, ready },
      { appId: name, adapter: adapter.get, sidecar, now: () => Date.now() },
    );
    return { app, begin: () => adapter.open(draining) };
  },
});
