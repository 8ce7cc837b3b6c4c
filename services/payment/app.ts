// The service from its dependencies, not listening.
import { type EventSourced, eventSourced, type ServiceParts } from '#kit/events/event-sourced';
import { sweep } from '#kit/events/sweep';
import { Database } from '#kit/views/database';
import { preparedCards } from './prepared.ts';
import { providerOf } from './provider.ts';
import { reactions } from './reactions.ts';
import { internalRoutes, routes } from './routes.ts';
import { paymentViews } from './views.ts';
import { paymentWorker } from './worker.ts';

/** Seconds after which a payment that still waits is looked at again, by whichever replica sees it first. */
const SWEEP_AFTER = 5;

/** `providerTimeout` in milliseconds. */
export function paymentService(parts: ServiceParts & { readonly providerTimeout: number }): EventSourced {
  const { sidecar, log, providerTimeout } = parts;
  const views = paymentViews(new Database(sidecar, 'views-payment'));
  return eventSourced(parts, (streams) => {
    const cards = preparedCards(sidecar, streams.store);
    const worker = paymentWorker({ streams, provider: providerOf(sidecar, providerTimeout), cards, log });
    return {
      routes: [routes(streams), internalRoutes(cards)],
      reactions: reactions((paymentId) => worker.wake(paymentId)),
      unhurried: ['orders', 'provider-events'], // a cancellation, and what the provider's answer has told already
      projections: [views.projection],
      worker,
      sweep: sweep({
        name: 'pending payments',
        due: () => views.pending(SWEEP_AFTER),
        run: async (paymentId) => worker.offer(paymentId),
      }),
    };
  });
}
