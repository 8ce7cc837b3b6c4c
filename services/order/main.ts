// Wiring only.
import { runService } from '#kit/http/service';
import { orderService } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'order',
  config: Config,
  start(host) {
    const service = orderService({ ...host, deadlineSeconds: host.config.ORDER_DEADLINE_SECONDS });
    host.onStop('order', service.stop);
    return service;
  },
});
