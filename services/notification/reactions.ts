// What customers are told of their orders.
import type { Message } from '#kit/events/message';
import type { Reaction, Reactions } from '#kit/events/reactor';
import { ask, type Content, idOfNotification, notificationOf, type Subject, type Template } from './notification.ts';

/** What is read of an order's events. */
interface OrderTold extends Omit<Content, 'cancellation'> {
  readonly orderId: string;
  readonly customerId: string | null;
  readonly cancellation?: { readonly code: string };
  readonly from?: 'placed' | 'confirmed';
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Reactions that save the notification and no more: `wake` then sends it, outside of any handler. */
export function reactions(wake: (id: string) => void): Readonly<Record<'orders', Reactions>> {
  const tells = (template: Template): Reaction<OrderTold> => {
    const idOf = ({ data }: Message<OrderTold>) => idOfNotification({ orderId: data.orderId, template });
    return {
      touch: (message) => (subjectOf(message.data, template) ? [notificationOf(idOf(message))] : []),
      decide(desk, message) {
        const subject = subjectOf(message.data, template);
        if (!subject) return;
        desk.apply(notificationOf(idOf(message)), ask, { ...subject, content: contentOf(message.data) });
      },
      afterwards(message) {
        if (subjectOf(message.data, template)) wake(idOf(message));
      },
    };
  };
  return { orders: { 'order.confirmed': tells('order-confirmed'), 'order.cancelled': tells('order-cancelled') } };
}

/** Accounts have uuids. A till's customer number is somebody whom only the shop knows: nobody is told anything. */
function subjectOf({ orderId, customerId }: OrderTold, template: Template): Subject | undefined {
  return customerId !== null && UUID.test(customerId) ? { orderId, template, accountId: customerId } : undefined;
}

function contentOf(order: OrderTold): Content {
  const { currency, timeZone, placedAt, gross, discounts, net, cancellation, from } = order;
  const lines = order.lines.map(({ sku, quantity, unitPrice, total }) => ({ sku, quantity, unitPrice, total }));
  return {
    ...{ currency, timeZone, placedAt, lines, gross, discounts, net },
    ...(cancellation && { cancellation: { code: cancellation.code, afterPayment: from === 'confirmed' } }),
  };
}
