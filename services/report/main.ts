// Wiring only.
import { runService } from '#kit/http/service';
import { reportService } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'report',
  config: Config,
  start(host) {
    const service = reportService({ ...host, binding: host.config.REPORT_DATABASE });
    host.onStop('report', service.stop);
    return service;
  },
});
