// Events of orders as their owner publishes them.
import type { Message } from '#kit/events/message';
import { idOf } from '#kit/ids';
import { example } from '#kit/testing/example';

export interface Line {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly discounts: readonly { kind: 'loyalty' | 'storeCoupon' | 'manual'; amount: number }[];
  readonly total: number;
  readonly department: string | null;
}

/** A line with its total. */
export function line(sku: string, quantity: number, unitPrice: number, more: Partial<Line> = {}): Line {
  const discounts = more.discounts ?? [];
  const total = unitPrice * quantity - discounts.reduce((sum, { amount }) => sum + amount, 0);
  return { sku, quantity, unitPrice, discounts, total, department: 'GROCERY', ...more };
}

/** The payload that every order event has, with its sums. */
export function order(orderId: string, more: { readonly lines?: readonly Line[] } & Record<string, unknown> = {}) {
  const lines = more.lines ?? [line('milk', 2, 100)];
  const gross = lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0);
  const net = lines.reduce((sum, { total }) => sum + total, 0);
  return example('order.placed', {
    ...{ orderId, channel: 'pos', shopId: 'north', partition: 'north', customerId: null, timeZone: 'UTC' },
    ...{ placedAt: '2026-03-01T10:00:00.000Z', tender: { method: 'cash' }, gross, discounts: gross - net, net },
    settled: true,
    ...more,
    lines,
  });
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** An event as a handler is given it. */
export function message(stream: string, version: number, type: string, data: unknown, topic = 'orders'): Message {
  return {
    id: idOf(stream, String(version)),
    topic,
    type,
    schemaVersion: 1,
    source: 'order',
    stream,
    version,
    at: new Date(Date.UTC(2026, 2, 1, 10, 0, version)).toISOString(),
    actor: 'till-north',
    correlationId: 'c',
    causationId: 'x',
    traceparent,
    data,
  };
}

/** The same as it travels. */
export function cloudEvent({ id, type, schemaVersion, source, stream, data, ...message }: Message) {
  const { version, at, actor, correlationId, causationId } = message;
  return {
    specversion: '1.0',
    id,
    type: `retail.${type}.v${schemaVersion}`,
    source,
    subject: stream,
    time: at,
    datacontenttype: 'application/json',
    traceparent,
    traceid: traceparent,
    data: { stream, version, at, actor, correlationId, causationId, schemaVersion, payload: data },
  };
}

/** The life of an order: placed, confirmed, and cancelled if asked for. */
export function life(orderId: string, more: Parameters<typeof order>[1] = {}, cancelled = false): Message[] {
  const summary = order(orderId, more);
  const stream = `order:${orderId}`;
  const cancellation = { code: 'CUSTOMER_REQUEST', detail: 'test' };
  return [
    message(stream, 1, 'order.placed', summary),
    message(stream, 2, 'order.confirmed', { ...summary, paymentId: `p-${orderId}` }),
    ...(cancelled ? [message(stream, 3, 'order.cancelled', { ...summary, cancellation, from: 'confirmed' })] : []),
  ];
}
