// Wiring only.
import { eventSourced } from '#kit/events/event-sourced';
import { runService } from '#kit/http/service';
import { shopApp } from './app.ts';

await runService({
  name: 'shop',
  start(host) {
    const { name: appId, sidecar, log } = host;
    const events = eventSourced({ appId, sidecar, log });
    host.onStop('streams', events.stop);
    const parts = { ...host, middleware: [events.middleware], ready: events.ready };
    return { app: shopApp(parts, events.streams), begin: events.start };
  },
});
