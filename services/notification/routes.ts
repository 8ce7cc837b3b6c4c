// The public surface of notification: what was told to whom, for auditors.
import { eventsOf } from '#kit/events/history';
import type { Streams } from '#kit/events/streams';
import { type Api, api } from '#kit/http/api';
import { isUuid } from '#kit/ids';
import { idOfNotification, notificationOf, templates } from './notification.ts';

/** `/notifications`: by order and template (`order-returned:<return id>`: each return is told). They do not know their shop, so only auditors of every shop may see them. */
export function routes(streams: Streams): Api {
  const told = eventsOf(streams, {
    stream({ orderId, template: name }: { orderId: string; template: string }) {
      const [word, returnId] = name.split(':');
      const template = templates.find((known) => known === word);
      if (!template || !isUuid(orderId) || (returnId !== undefined && !isUuid(returnId))) return undefined;
      return notificationOf(idOfNotification({ orderId, template, ...(returnId !== undefined && { returnId }) }));
    },
    shopOf: () => '*',
  });
  return api('/notifications', { tag: 'notifications' }).get('/:orderId/:template/events', ...told);
}
