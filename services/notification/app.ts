// The service from its dependencies, not listening. It has no public routes: it hears, sends and tells.
import { randomUUID } from 'node:crypto';
import type Koa from 'koa';
import type { Sidecar } from '#kit/dapr/sidecar';
import { eventSourced } from '#kit/events/event-sourced';
import { startSweep } from '#kit/events/sweep';
import { Worker } from '#kit/events/worker';
import { type AppParts, createApp } from '#kit/http/app';
import { Database } from '#kit/views/database';
import { deliverer } from './deliver.ts';
import { reactions } from './reactions.ts';
import { notificationViews } from './views.ts';

export interface NotificationOptions extends Omit<AppParts, 'routes' | 'middleware' | 'ready'> {
  readonly sidecar: Sidecar;
  readonly mailBinding: string;
  readonly mailTimeoutSeconds: number;
}

export interface NotificationService {
  readonly app: Koa;
  begin(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Mails at once. Not more: daprd's SMTP binding writes the address of each request into settings that all share
 * (components-contrib 1.18.4, `mergeWithRequestMetadata`), so one of two at the same time may go to the other's customer.
 */
const AT_ONCE = 1;

/** Builds the service. Nothing is called before `begin`. */
export function notificationService(options: NotificationOptions): NotificationService {
  const { name, sidecar, log, mailTimeoutSeconds } = options;
  const views = notificationViews(new Database(sidecar, 'views-notification'));
  const events = eventSourced({
    appId: name,
    sidecar,
    log,
    reactions: () => reactions((id) => worker.wake(id)),
    reactionsOn: 'pubsub-effects',
    projections: [views.projection],
  });
  const deliver = deliverer({
    streams: events.streams,
    sidecar,
    mailTimeoutSeconds,
    binding: options.mailBinding,
    holder: randomUUID(),
    claimSeconds: 2 * (mailTimeoutSeconds + 5), // half of it outlasts a try: the mail, and auth before it
  });
  const worker = new Worker({ perform: deliver, log, concurrency: AT_ONCE });
  let after = '';
  let stopSweep: (() => Promise<void>) | undefined;

  return {
    app: createApp({ ...options, middleware: [events.middleware], ready: events.ready, routes: [] }),
    async begin() {
      await events.start();
      stopSweep = startSweep({
        name: 'unsent notifications',
        async due() {
          const ids = await views.due(after);
          after = ids.at(-1) ?? ''; // round and round: while no mail goes out, all come to be known here
          return ids;
        },
        async run(id) {
          if (!worker.has(id)) worker.wake(id);
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
