// Wiring only.
import { runService } from '#kit/http/service';
import { eventSourcedService } from '#kit/service';
import { shopApp } from './app.ts';

await runService({ name: 'shop', start: (host) => eventSourcedService(host, {}, shopApp) });
