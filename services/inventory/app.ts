// The service from its dependencies, not listening.
import { productsOf } from '#kit/clients/products';
import { shopsOf } from '#kit/clients/shops';
import { type EventSourced, eventSourced, type ServiceParts } from '#kit/events/event-sourced';
import { sweep } from '#kit/events/sweep';
import { Database } from '#kit/views/database';
import { finishMovement } from './finish-movement.ts';
import { Inventory } from './inventory.ts';
import { reactions } from './reactions.ts';
import { returnRoutes } from './return-routes.ts';
import { internalRoutes, reservationRoutes, routes } from './routes.ts';
import { inventoryViews } from './views.ts';
import { workRoutes } from './work-routes.ts';

export function inventoryService(parts: ServiceParts & { readonly sweepAfterSeconds: number }): EventSourced {
  const { sidecar, sweepAfterSeconds } = parts;
  const views = inventoryViews(new Database(sidecar, 'views-inventory'));
  const [findShop, findProducts] = [shopsOf(sidecar), productsOf(sidecar)];
  return eventSourced(parts, (streams) => {
    const inventory = new Inventory({ streams, views, findShop, findProducts });
    return {
      routes: [
        workRoutes(inventory),
        routes(inventory),
        reservationRoutes(inventory),
        returnRoutes(streams),
        internalRoutes(inventory),
      ],
      reactions,
      unhurried: ['payments'], // what comes from there releases
      projections: views.projections,
      sweep: sweep({
        name: 'unfinished movements',
        due: () => views.openMovements(sweepAfterSeconds),
        run: (movement) => finishMovement(streams, movement),
      }),
    };
  });
}
