// Wiring only.
import { runService } from '#kit/http/service';
import { notificationService } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'notification',
  config: Config,
  start(host) {
    const { MAIL_BINDING: mailBinding, MAIL_TIMEOUT_SECONDS: mailTimeoutSeconds } = host.config;
    return notificationService({ ...host, mailBinding, mailTimeoutSeconds });
  },
});
