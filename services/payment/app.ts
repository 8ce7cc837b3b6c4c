// The service from its dependencies, not listening.
import type Koa from 'koa';
import type { Sidecar } from '#kit/dapr/sidecar';
import { type EventSourced, eventSourced } from '#kit/events/event-sourced';
import { startSweep } from '#kit/events/sweep';
import { type AppParts, createApp } from '#kit/http/app';
import { Database } from '#kit/views/database';
import { preparedCards } from './prepared.ts';
import { providerOf } from './provider.ts';
import { reactionsOf } from './reactions.ts';
import { internalRoutes, routes } from './routes.ts';
import { paymentViews } from './views.ts';
import { paymentWorker } from './worker.ts';

/** Seconds after which a payment that still waits is looked at again, by whichever replica sees it first. */
const SWEEP_AFTER = 5;

export interface PaymentService {
  readonly app: Koa;
  readonly events: EventSourced;
  begin(): Promise<void>;
  stop(): Promise<void>;
}

export function paymentService(
  parts: Omit<AppParts, 'routes' | 'middleware' | 'ready'> & {
    readonly sidecar: Sidecar;
    readonly providerTimeout: number;
  },
): PaymentService {
  const { name, sidecar, log } = parts;
  const views = paymentViews(new Database(sidecar, 'views-payment'));
  const events = eventSourced({
    appId: name,
    sidecar,
    log,
    reactions: () => reactionsOf((paymentId) => worker.wake(paymentId)),
    projections: [views.projection],
  });
  const { streams } = events;
  const cards = preparedCards(sidecar, streams.store);
  const worker = paymentWorker({ streams, provider: providerOf(sidecar, parts.providerTimeout), cards, log });
  const app = createApp({
    ...parts,
    middleware: [events.middleware],
    ready: events.ready,
    routes: [routes(streams), internalRoutes(cards)],
  });

  let stopSweep: (() => Promise<void>) | undefined;
  return {
    app,
    events,
    async begin() {
      await events.start();
      stopSweep = startSweep({
        name: 'pending payments',
        due: () => views.pending(SWEEP_AFTER),
        run: async (paymentId) => {
          if (!worker.has(paymentId)) worker.wake(paymentId);
        },
        log,
      });
    },
    async stop() {
      await stopSweep?.();
      await worker.stop();
      await events.stop();
    },
  };
}
