// What clients send and get: checked, typed and documented from here.
import { z } from 'zod';
import { type StreamDocument, stateAt } from '#kit/events/document';
import { Amount, Currency, Quantity } from '#kit/money';
import { Instant } from '#kit/time';
import { type Order, orders, placedOf } from './order.ts';

const Text = (most: number) => z.string().min(1).max(most);

const Discount = z.strictObject({ kind: z.enum(['loyalty', 'storeCoupon', 'manual']), amount: Amount });

const Payment = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('card'), token: Text(255) }),
  z.strictObject({ method: z.literal('cash') }),
]);

export const NewOrder = z
  .strictObject({
    channel: z.enum(['web', 'pos', 'machine']),
    shopId: Text(64),
    customerId: Text(128).optional(),
    occurredAt: Instant.optional(),
    lines: z
      .array(
        z.strictObject({
          sku: Text(64),
          quantity: Quantity,
          unitPrice: Amount.optional(),
          discounts: z.array(Discount).max(20).optional(),
        }),
      )
      .min(1),
    coupons: z.array(Text(64)).max(20).optional(),
    payment: Payment,
  })
  .meta({ id: 'NewOrder' });
export type NewOrder = z.output<typeof NewOrder>;

export const OrderView = z
  .strictObject({
    id: z.string(),
    status: z.enum(['placed', 'confirmed', 'fulfilled', 'cancelled']),
    channel: z.enum(['web', 'pos', 'machine']),
    shopId: z.string(),
    customerId: z.string().nullable(),
    currency: Currency,
    lines: z.array(
      z.strictObject({
        sku: z.string(),
        quantity: z.int(),
        unitPrice: z.int(),
        discounts: z.array(Discount),
        total: z.int(),
      }),
    ),
    gross: z.int(),
    discounts: z.int(),
    net: z.int(),
    tax: z.int(),
    payment: z.strictObject({ status: z.string() }),
    cancellation: z.strictObject({ code: z.string(), detail: z.string() }).optional(),
    occurredAt: z.string().nullable(),
    placedAt: z.string(),
    version: z.int(),
  })
  .meta({ id: 'Order' });
export type OrderView = z.output<typeof OrderView>;

/** The order as clients see it, at a version. */
export function viewOf(order: Order, version: number): OrderView {
  const { summary, status, payment, cancellation } = placedOf(order);
  return {
    id: summary.orderId,
    status,
    channel: summary.channel,
    shopId: summary.shopId,
    customerId: summary.customerId,
    currency: summary.currency,
    lines: summary.lines.map(({ department: _, discounts, ...line }) => ({ ...line, discounts: [...discounts] })),
    gross: summary.gross,
    discounts: summary.discounts,
    net: summary.net,
    tax: summary.tax,
    payment: { status: payment },
    ...(cancellation && { cancellation: { ...cancellation } }),
    occurredAt: summary.occurredAt,
    placedAt: summary.placedAt,
    version,
  };
}

/** The order of a document as clients see it: now, or as it was at an earlier version. */
export function viewAt(document: StreamDocument<Order>, version = document.version): OrderView {
  return viewOf(stateAt(orders, document, version), version);
}
