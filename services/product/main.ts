// Wiring only.
import { runService } from '#kit/http/service';
import { eventSourcedService } from '#kit/service';
import { Database } from '#kit/views/database';
import { productApp } from './app.ts';
import { productList } from './views.ts';

await runService({
  name: 'product',
  start(host) {
    const list = productList(new Database(host.sidecar, 'views-product'));
    return eventSourcedService(host, { projections: [list.projection] }, (parts, streams) =>
      productApp(parts, streams, list),
    );
  },
});
