// I9: a customer is told each thing once. One notification stream per order and template, and per return.
import { type ServiceEvidence, type Stream, streamsOfKind } from './evidence.ts';
import type { Violation } from './violation.ts';

const ACCOUNT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Every confirmed order of an account has its notification, and so has every return. */
export function checkTold(notification: ServiceEvidence, orders: ReadonlyMap<string, Stream>): Violation[] {
  const told = streamsOfKind(notification, 'notification');
  return [...orders].flatMap(([orderId, { events }]) => {
    const { customerId } = events[0]?.data as { customerId: string | null };
    if (customerId === null || !ACCOUNT.test(customerId)) return [];
    return events
      .flatMap(({ type, data }) => {
        if (type === 'order.confirmed' || type === 'order.cancelled') return [`${orderId}:${type.replace('.', '-')}`];
        return type === 'order.returned'
          ? [`${orderId}:order-returned:${(data as { returnId: string }).returnId}`]
          : [];
      })
      .filter((id) => !told.has(id))
      .map((id) => ({ invariant: 'I9' as const, orderId, subject: id, what: 'was never asked for' }));
  });
}

/** Each notification of one reading was ended once, and none tells what another told. */
export function checkNotifications(notification: ServiceEvidence): Violation[] {
  const found: Violation[] = [];
  const seen = new Map<string, string>();
  for (const { document, events } of streamsOfKind(notification, 'notification').values()) {
    const { orderId, template, returnId } = (events[0]?.data ?? {}) as {
      orderId?: string;
      template?: string;
      returnId?: string;
    };
    const wrong = (what: string) =>
      found.push({ invariant: 'I9', ...(orderId && { orderId }), subject: document.key, what });
    if (!orderId || !template) {
      wrong('names no order or no template');
      continue;
    }
    const told = [orderId, template, returnId].join(' ');
    const other = seen.get(told);
    if (other !== undefined) wrong(`tells ${template} again, as ${other} did`);
    seen.set(told, document.key);
    const ends = events.filter(({ type }) => type === 'notification.sent' || type === 'notification.skipped').length;
    if (ends !== 1) wrong(`has ended ${ends} times`);
  }
  return found;
}
