// The service from its dependencies, not listening.
import { Cache } from '#kit/dapr/cache';
import { type EventSourced, eventSourced, type ServiceParts } from '#kit/events/event-sourced';
import { Records } from '#kit/events/records';
import { Database } from '#kit/views/database';
import { products } from './product.ts';
import { internalRoutes, routes } from './routes.ts';
import { type ProductList, productList } from './views.ts';

/** `list` is the one in the service's database unless told. */
export function productService(parts: ServiceParts & { readonly list?: ProductList }): EventSourced {
  const { sidecar, metrics } = parts;
  const { list = productList(new Database(sidecar, 'views-product'), new Cache(sidecar, { metrics })) } = parts;
  return eventSourced(parts, (streams) => {
    const dependencies = { catalogue: new Records(streams, products), list };
    return { routes: [routes(dependencies), internalRoutes(dependencies)], projections: [list.projection] };
  });
}
