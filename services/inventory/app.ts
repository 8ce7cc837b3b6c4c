// The service from its dependencies, not listening.
import type Koa from 'koa';
import { productsOf } from '#kit/clients/products';
import { shopsOf } from '#kit/clients/shops';
import type { Sidecar } from '#kit/dapr/sidecar';
import { type EventSourced, eventSourced } from '#kit/events/event-sourced';
import { startSweep } from '#kit/events/sweep';
import { type AppParts, createApp } from '#kit/http/app';
import { Database } from '#kit/views/database';
import { finishAdjustment } from './adjust-stock.ts';
import { adjustmentOf } from './adjustment.ts';
import { Inventory } from './inventory.ts';
import { reactions } from './reactions.ts';
import { receiptOf } from './receipt.ts';
import { finishReceipt } from './receive-goods.ts';
import { internalRoutes, routes } from './routes.ts';
import { inventoryViews, type OpenMovement } from './views.ts';

export interface InventoryService {
  readonly app: Koa;
  readonly events: EventSourced;
  /** Starts what runs beside requests. */
  begin(): Promise<void>;
  stop(): Promise<void>;
}

export function inventoryService(
  parts: Omit<AppParts, 'routes' | 'middleware' | 'ready'> & {
    readonly sidecar: Sidecar;
    readonly sweepAfterSeconds: number;
  },
): InventoryService {
  const { name, sidecar, log } = parts;
  const views = inventoryViews(new Database(sidecar, 'views-inventory'));
  const events = eventSourced({
    appId: name,
    sidecar,
    log,
    reactions: () => reactions,
    projections: views.projections,
  });
  const { streams } = events;
  const inventory = new Inventory({ streams, views, findShop: shopsOf(sidecar), findProducts: productsOf(sidecar) });
  const app = createApp({
    ...parts,
    middleware: [events.middleware],
    ready: events.ready,
    routes: [routes(inventory), internalRoutes(inventory)],
  });
  const origin = { actor: `app:${name}`, correlationId: 'sweep', causationId: 'sweep', traceparent: '' };

  async function finish({ kind, shop_id, reference }: OpenMovement): Promise<void> {
    if (kind === 'receipt') return finishReceipt(streams, receiptOf(shop_id, reference), origin);
    const adjustment = await streams.read(adjustmentOf(shop_id, reference));
    if (adjustment?.state.status === 'opened') await finishAdjustment(streams, adjustment.state, reference, origin);
  }

  let stopSweep: (() => Promise<void>) | undefined;
  return {
    app,
    events,
    async begin() {
      await events.start();
      stopSweep = startSweep({
        name: 'unfinished movements',
        due: () => views.openMovements(parts.sweepAfterSeconds),
        run: finish,
        log,
      });
    },
    async stop() {
      await stopSweep?.();
      await events.stop();
    },
  };
}
