// The service from its dependencies, not listening. It hears, sends and tells.
import { randomUUID } from 'node:crypto';
import { type EventSourced, eventSourced, type ServiceParts } from '#kit/events/event-sourced';
import { sweep } from '#kit/events/sweep';
import { Worker } from '#kit/events/worker';
import { Database } from '#kit/views/database';
import { accountMails } from './account-mails.ts';
import { deliverer } from './deliver.ts';
import { reactions } from './reactions.ts';
import { routes } from './routes.ts';
import { Turns } from './turns.ts';
import { notificationViews } from './views.ts';

/**
 * Mails at once. Not more: daprd's SMTP binding writes the address of each request into settings that all share
 * (components-contrib 1.18.4, `mergeWithRequestMetadata`), so one of two at the same time may go to the other's customer.
 */
const AT_ONCE = 1;

export function notificationService(
  parts: ServiceParts & { readonly mailBinding: string; readonly mailTimeoutSeconds: number },
): EventSourced {
  const { sidecar, log, mailBinding: binding, mailTimeoutSeconds } = parts;
  const views = notificationViews(new Database(sidecar, 'views-notification'));
  return eventSourced(parts, (streams) => {
    const turns = new Turns();
    const deliver = deliverer({
      ...{ turns, streams, sidecar, binding, mailTimeoutSeconds },
      holder: randomUUID(),
      claimSeconds: 2 * (2 * mailTimeoutSeconds + 5), // half of it outlasts a try: auth, the mail before, and the mail
    });
    const worker = new Worker({ perform: deliver, log, concurrency: AT_ONCE });
    let after = '';
    return {
      routes: [routes(streams), accountMails({ sidecar, binding, turns, mailTimeoutSeconds })],
      reactions: reactions((id) => worker.wake(id)),
      reactionsOn: 'pubsub-effects',
      projections: [views.projection],
      worker,
      sweep: sweep({
        name: 'unsent notifications',
        async due() {
          const ids = await views.due(after);
          after = ids.at(-1) ?? ''; // round and round: while no mail goes out, all come to be known here
          return ids;
        },
        run: async (id) => worker.offer(id),
      }),
    };
  });
}
