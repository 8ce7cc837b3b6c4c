// The service from its dependencies, not listening.
import type Koa from 'koa';
import { productsOf } from '#kit/clients/products';
import { shopsOf } from '#kit/clients/shops';
import type { Sidecar } from '#kit/dapr/sidecar';
import { type EventSourced, eventSourced } from '#kit/events/event-sourced';
import { startSweep } from '#kit/events/sweep';
import { type AppParts, createApp } from '#kit/http/app';
import { Database } from '#kit/views/database';
import { neighboursOf } from './neighbours.ts';
import { expire, orderOf } from './order.ts';
import { reactions } from './reactions.ts';
import { routes } from './routes.ts';
import { orderViews } from './views.ts';

export interface OrderService {
  readonly app: Koa;
  readonly events: EventSourced;
  begin(): Promise<void>;
  stop(): Promise<void>;
}

export function orderService(
  parts: Omit<AppParts, 'routes' | 'middleware' | 'ready'> & {
    readonly sidecar: Sidecar;
    readonly deadlineSeconds: number;
    readonly clock?: () => Date;
  },
): OrderService {
  const { name, sidecar, log, deadlineSeconds, clock } = parts;
  const views = orderViews(new Database(sidecar, 'views-order'));
  const events = eventSourced({
    appId: name,
    sidecar,
    log,
    reactions: () => reactions,
    projections: [views.projection],
    ...(clock && { clock }),
  });
  const { streams } = events;
  const app = createApp({
    ...parts,
    middleware: [events.middleware],
    ready: events.ready,
    routes: [
      routes({
        streams,
        views,
        findShop: shopsOf(sidecar),
        findProducts: productsOf(sidecar),
        neighbours: neighboursOf(sidecar),
        deadlineSeconds,
      }),
    ],
  });

  async function expireOrder(orderId: string): Promise<void> {
    const ref = orderOf(orderId);
    await streams.execute({
      touch: [ref],
      origin: { actor: `app:${name}`, correlationId: orderId, causationId: 'deadline', traceparent: '' },
      decide: (desk) => desk.apply(ref, expire, { now: desk.now }),
    });
  }

  let stopSweep: (() => Promise<void>) | undefined;
  return {
    app,
    events,
    async begin() {
      await events.start();
      stopSweep = startSweep({
        name: 'order deadlines',
        due: () => views.overdue(streams.now()),
        run: expireOrder,
        log,
      });
    },
    async stop() {
      await stopSweep?.();
      await events.stop();
    },
  };
}
