// Wiring only.
import { runService } from '#kit/http/service';
import { notificationService } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'notification',
  config: Config,
  start(host) {
    const { config, onStop } = host;
    const service = notificationService({
      ...host,
      mailBinding: config.MAIL_BINDING,
      mailTimeoutSeconds: config.MAIL_TIMEOUT_SECONDS,
    });
    onStop('notification', service.stop);
    return service;
  },
});
