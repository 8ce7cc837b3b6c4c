// The service from its dependencies, not listening.
import { productsOf } from '#kit/clients/products';
import { shopsOf } from '#kit/clients/shops';
import { type EventSourced, eventSourced, type ServiceParts } from '#kit/events/event-sourced';
import { sweep } from '#kit/events/sweep';
import { Database } from '#kit/views/database';
import { expireOrder } from './expire-order.ts';
import { neighboursOf } from './neighbours.ts';
import { reactions } from './reactions.ts';
import { routes } from './routes.ts';
import { orderViews } from './views.ts';

export function orderService(parts: ServiceParts & { readonly deadlineSeconds: number }): EventSourced {
  const { sidecar, deadlineSeconds } = parts;
  const views = orderViews(new Database(sidecar, 'views-order'));
  const [findShop, findProducts, neighbours] = [shopsOf(sidecar), productsOf(sidecar), neighboursOf(sidecar)];
  return eventSourced(parts, (streams) => ({
    routes: [routes({ streams, views, findShop, findProducts, neighbours, deadlineSeconds })],
    reactions,
    unhurried: ['inventory'], // what comes from there cancels
    projections: [views.projection],
    sweep: sweep({
      name: 'order deadlines',
      due: () => views.overdue(streams.now()),
      run: (orderId) => expireOrder(streams, orderId),
    }),
  }));
}
