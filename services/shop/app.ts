// The service from its dependencies, not listening.
import { randomUUID } from 'node:crypto';
import { type EventSourced, eventSourced, type ServiceParts } from '#kit/events/event-sourced';
import { Records } from '#kit/events/records';
import { internalRoutes, routes } from './routes.ts';
import { shops } from './shop.ts';

export function shopService(parts: ServiceParts): EventSourced {
  return eventSourced(parts, (streams) => {
    const dependencies = { shops: new Records(streams, shops), newId: randomUUID };
    return { routes: [routes(dependencies), internalRoutes(dependencies)] };
  });
}
