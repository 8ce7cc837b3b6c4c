// What customers are told of their orders.
import type { Reaction, Reactions } from '#kit/events/reactor';
import { ask, type Content, idOfNotification, notificationOf, type Subject, type Template } from './notification.ts';

/** What is read of an order's events. */
interface OrderTold extends Omit<Content, 'cancellation' | 'returned'> {
  readonly orderId: string;
  readonly customerId: string | null;
  readonly cancellation?: { readonly code: string };
  readonly from?: 'placed' | 'confirmed';
}

/** What is read of a return: its lines are of another shape than those of an order. */
interface ReturnTold extends Pick<Content, 'currency' | 'timeZone' | 'placedAt'> {
  readonly orderId: string;
  readonly customerId: string | null;
  readonly returnId: string;
  readonly tender: { readonly method: 'card' | 'cash' };
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly amount: number }[];
  readonly amount: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Reactions that save the notification and no more: `wake` then sends it, outside of any handler. */
export function reactions(wake: (id: string) => void): Readonly<Record<'orders', Reactions>> {
  const tells = <Told extends OrderTold | ReturnTold>(
    template: Template,
    of: (told: Told) => Content,
  ): Reaction<Told> => ({
    touch: ({ data }) => {
      const subject = subjectOf(data, template);
      return subject ? [notificationOf(idOfNotification(subject))] : [];
    },
    decide(desk, { data }) {
      const subject = subjectOf(data, template);
      if (!subject) return;
      desk.apply(notificationOf(idOfNotification(subject)), ask, { ...subject, content: of(data) });
    },
    afterwards({ data }) {
      const subject = subjectOf(data, template);
      if (subject) wake(idOfNotification(subject));
    },
  });
  return {
    orders: {
      'order.confirmed': tells('order-confirmed', contentOf),
      'order.cancelled': tells('order-cancelled', contentOf),
      'order.returned': tells('order-returned', returnedContentOf),
    },
  };
}

/** Accounts have uuids. A till's customer number is somebody whom only the shop knows: nobody is told anything. */
function subjectOf(told: OrderTold | ReturnTold, template: Template): Subject | undefined {
  const { orderId, customerId } = told;
  if (customerId === null || !UUID.test(customerId)) return undefined;
  return { orderId, template, accountId: customerId, ...('returnId' in told && { returnId: told.returnId }) };
}

function returnedContentOf({ currency, timeZone, placedAt, lines, amount, tender }: ReturnTold): Content {
  return {
    ...{ currency, timeZone, placedAt, gross: amount, discounts: 0, net: amount },
    lines: lines.map((line) => ({
      sku: line.sku,
      quantity: line.quantity,
      unitPrice: Math.floor(line.amount / line.quantity),
      total: line.amount,
    })),
    returned: { method: tender.method },
  };
}

function contentOf(order: OrderTold): Content {
  const { currency, timeZone, placedAt, gross, discounts, net, cancellation, from } = order;
  const lines = order.lines.map(({ sku, quantity, unitPrice, total }) => ({ sku, quantity, unitPrice, total }));
  return {
    ...{ currency, timeZone, placedAt, lines, gross, discounts, net },
    ...(cancellation && { cancellation: { code: cancellation.code, afterPayment: from === 'confirmed' } }),
  };
}
