// Wiring only.
import { runService } from '#kit/http/service';
import { Config } from './config.ts';
import { relistenService } from './relisten.ts';

await runService({
  name: 'report-relisten',
  config: Config,
  start: (host) => relistenService({ ...host, binding: host.config.REPORT_DATABASE }),
});
