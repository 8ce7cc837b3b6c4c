// Wiring only.
import { runService } from '#kit/http/service';
import { reportService } from './app.ts';
import { Config } from './config.ts';

await runService({
  name: 'report',
  config: Config,
  start: (host) => reportService({ ...host, binding: host.config.REPORT_DATABASE }),
});
