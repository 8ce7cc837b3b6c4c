// I9: a customer is told each thing once. One notification stream per order and template.
import type { ServiceEvidence } from './evidence.ts';
import { streamsOfKind } from './evidence.ts';
import type { Violation } from './violation.ts';

/** Checks the notifications of one reading. */
export function checkNotifications(notification: ServiceEvidence): Violation[] {
  const found: Violation[] = [];
  const seen = new Map<string, string>();
  for (const { document, events } of streamsOfKind(notification, 'notification').values()) {
    const { orderId, template } = (events[0]?.data ?? {}) as { orderId?: string; template?: string };
    const wrong = (what: string) =>
      found.push({ invariant: 'I9', ...(orderId && { orderId }), subject: document.key, what });
    if (!orderId || !template) {
      wrong('names no order or no template');
      continue;
    }
    const other = seen.get(`${orderId} ${template}`);
    if (other !== undefined) wrong(`tells ${template} again, as ${other} did`);
    seen.set(`${orderId} ${template}`, document.key);
    const ends = events.filter(({ type }) => type === 'notification.sent' || type === 'notification.skipped').length;
    if (ends !== 1) wrong(`has ended ${ends} times`);
  }
  return found;
}
