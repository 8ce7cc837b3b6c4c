// Wiring only.
import { Sidecar } from '#kit/dapr/sidecar';
import { runService } from '#kit/http/service';
import { notificationService } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'notification',
  config: Config,
  start(host) {
    const { config, onStop } = host;
    const mailSidecar = new Sidecar({
      port: config.DAPR_HTTP_PORT,
      token: config.DAPR_API_TOKEN,
      connections: 1,
      timeout: config.MAIL_TIMEOUT_SECONDS * 1_000,
    });
    const service = notificationService({
      ...host,
      mailSidecar,
      mailBinding: config.MAIL_BINDING,
      mailTimeoutSeconds: config.MAIL_TIMEOUT_SECONDS,
    });
    onStop('connection for mails', () => mailSidecar.close());
    onStop('notification', service.stop);
    return service;
  },
});
