// The service from its dependencies, not listening.
import { productsOf } from '#kit/clients/products';
import { shopsOf } from '#kit/clients/shops';
import { type EventSourced, eventSourced, type ServiceParts } from '#kit/events/event-sourced';
import { sweep } from '#kit/events/sweep';
import { Database } from '#kit/views/database';
import { expireOrder } from './expire-order.ts';
import { goodsRoutes } from './goods-routes.ts';
import { neighboursOf } from './neighbours.ts';
import { orderOf } from './order.ts';
import { reactions } from './reactions.ts';
import { routes } from './routes.ts';
import { orderViews } from './views.ts';

export interface OrderParts extends ServiceParts {
  readonly deadlineSeconds: number;
  readonly returnWindowDays: number;
}

export function orderService(parts: OrderParts): EventSourced {
  const { sidecar, deadlineSeconds, returnWindowDays } = parts;
  const [findShop, findProducts, neighbours] = [shopsOf(sidecar), productsOf(sidecar), neighboursOf(sidecar)];
  return eventSourced(parts, (streams) => {
    const views = orderViews(new Database(sidecar, 'views-order'), (orderId) => streams.read(orderOf(orderId)));
    return {
      routes: [
        routes({ streams, views, findShop, findProducts, neighbours, deadlineSeconds }),
        goodsRoutes({ streams, returnWindowDays }),
      ],
      reactions,
      unhurried: ['inventory'], // what comes from there cancels
      projections: [views.projection],
      sweep: sweep({
        name: 'order deadlines',
        due: () => views.overdue(streams.now()),
        run: (orderId) => expireOrder(streams, orderId),
      }),
    };
  });
}
