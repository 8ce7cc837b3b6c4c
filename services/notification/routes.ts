// The public surface of notification: what was told to whom, for auditors.
import { eventsOf } from '#kit/events/history';
import type { Streams } from '#kit/events/streams';
import { type Api, api } from '#kit/http/api';
import { isUuid } from '#kit/ids';
import { idOfNotification, notificationOf, templates } from './notification.ts';

/** `/notifications`: by order and template. They do not know their shop, so only auditors of every shop may see them. */
export function routes(streams: Streams): Api {
  const told = eventsOf(streams, {
    stream({ orderId, template: name }: { orderId: string; template: string }) {
      const template = templates.find((known) => known === name);
      return template && isUuid(orderId) ? notificationOf(idOfNotification({ orderId, template })) : undefined;
    },
    shopOf: () => '*',
  });
  return api('/notifications', { tag: 'notifications' }).get('/:orderId/:template/events', ...told);
}
