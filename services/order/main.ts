// Wiring only.
import { runService } from '#kit/http/service';
import { orderService } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'order',
  config: Config,
  start: (host) =>
    orderService({
      ...host,
      deadlineSeconds: host.config.ORDER_DEADLINE_SECONDS,
      returnWindowDays: host.config.RETURN_WINDOW_DAYS,
    }),
});
