// Wiring only.
import { eventSourced } from '#kit/events/event-sourced';
import { runService } from '#kit/http/service';
import { Database } from '#kit/views/database';
import { productApp } from './app.ts';
import { productList } from './views.ts';

await runService({
  name: 'product',
  start(host) {
    const { name: appId, sidecar, log } = host;
    const list = productList(new Database(sidecar, 'views-product'));
    const events = eventSourced({ appId, sidecar, log, projections: [list.projection] });
    host.onStop('streams', events.stop);
    const parts = { ...host, middleware: [events.middleware], ready: events.ready };
    return { app: productApp(parts, events.streams, list), begin: events.start };
  },
});
