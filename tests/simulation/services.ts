// The real services and their routes, on a simulated sidecar.

import { inventoryService } from '../../services/inventory/app.ts';
import { Inventory } from '../../services/inventory/inventory.ts';
import { internalRoutes as availability, routes as stockRoutes } from '../../services/inventory/routes.ts';
import type { InventoryViews } from '../../services/inventory/views.ts';
import { inventoryViews } from '../../services/inventory/views.ts';
import { workRoutes } from '../../services/inventory/work-routes.ts';
import { productsOf } from '../../services/kit/clients/products.ts';
import { shopsOf } from '../../services/kit/clients/shops.ts';
import type { Sidecar } from '../../services/kit/dapr/sidecar.ts';
import type { EventSourced, ServiceParts } from '../../services/kit/events/event-sourced.ts';
import type { Api, Route } from '../../services/kit/http/api.ts';
import type { Metrics } from '../../services/kit/http/metrics.ts';
import { Database } from '../../services/kit/views/database.ts';
import { notificationService } from '../../services/notification/app.ts';
import { orderService } from '../../services/order/app.ts';
import { goodsRoutes } from '../../services/order/goods-routes.ts';
import { neighboursOf } from '../../services/order/neighbours.ts';
import { orderOf } from '../../services/order/order.ts';
import { routes as orderRoutes } from '../../services/order/routes.ts';
import { orderViews } from '../../services/order/views.ts';
import { paymentService } from '../../services/payment/app.ts';
import { preparedCards } from '../../services/payment/prepared.ts';
import { internalRoutes as cardRoutes } from '../../services/payment/routes.ts';
import type { World } from './world.ts';

/** The services that run, and how many processes each has. */
export const REPLICAS: Readonly<Record<string, number>> = { order: 2, inventory: 2, payment: 2, notification: 1 };

interface Built {
  readonly service: EventSourced;
  readonly routes: readonly Route[];
}

/** Counts nothing: real figures cost a timer for every process that ever was. */
const metrics = { counter: () => () => undefined, histogram: () => () => undefined } as unknown as Metrics;

export function build(world: World, appId: string, sidecar: Sidecar): Built {
  const clock = () => world.time.date();
  const parts = {
    name: appId,
    sidecar,
    log: world.log,
    clock,
    metrics,
    verifier: undefined as never,
    contracts: world.contracts,
  };
  return (builders[appId] as (given: ServiceParts, world: World) => Built)(parts, world);
}

const builders: Readonly<Record<string, (parts: ServiceParts, world: World) => Built>> = {
  order(parts, { deadlineSeconds }) {
    const { sidecar } = parts;
    const service = orderService({ ...parts, deadlineSeconds, returnWindowDays: 30 });
    const views = orderViews(new Database(sidecar, 'views-order'), (orderId) => service.streams.read(orderOf(orderId)));
    const [findShop, findProducts, neighbours] = [shopsOf(sidecar), productsOf(sidecar), neighboursOf(sidecar)];
    return built(
      service,
      orderRoutes({ streams: service.streams, views, findShop, findProducts, neighbours, deadlineSeconds }),
      goodsRoutes({ streams: service.streams, returnWindowDays: 30 }),
    );
  },
  inventory(parts) {
    const { sidecar } = parts;
    const service = inventoryService({ ...parts, sweepAfterSeconds: 10 });
    const views: InventoryViews = inventoryViews(new Database(sidecar, 'views-inventory'));
    const { streams } = service;
    const inventory = new Inventory({ streams, views, findShop: shopsOf(sidecar), findProducts: productsOf(sidecar) });
    return built(service, workRoutes(inventory), stockRoutes(inventory), availability(inventory));
  },
  payment(parts) {
    const service = paymentService({ ...parts, providerTimeout: 2_000 });
    return built(service, cardRoutes(preparedCards(parts.sidecar, service.streams.store)));
  },
  notification(parts) {
    return built(notificationService({ ...parts, mailBinding: 'mail', mailTimeoutSeconds: 8 }));
  },
};

function built(service: EventSourced, ...apis: readonly Pick<Api, 'routes'>[]): Built {
  return { service, routes: apis.flatMap(({ routes }) => routes) };
}
