// What clients send and get: checked, typed and documented from here.
import { z } from 'zod';
import { type StreamDocument, stateAt } from '#kit/events/document';
import { Amount, Currency, Quantity } from '#kit/money';
import { Instant } from '#kit/time';
import { type Order, type OrderSummary, orders, type PlacedOrder, placedOf } from './order.ts';

const Text = (most: number) => z.string().min(1).max(most);

export const Sku = Text(64);

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
          sku: Sku,
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

const Part = { id: z.string(), orderId: z.string(), at: z.string() };

export const FulfilmentView = z
  .strictObject({ ...Part, lines: z.array(z.strictObject({ sku: z.string(), quantity: z.int() })) })
  .meta({ id: 'Fulfilment', description: 'Goods of an order that were handed out together' });
type FulfilmentView = z.output<typeof FulfilmentView>;

export const ReturnView = z
  .strictObject({
    ...Part,
    reason: z.string(),
    lines: z.array(
      z.strictObject({
        sku: z.string(),
        quantity: z.int(),
        condition: z.enum(['sellable', 'damaged']),
        amount: z.int(),
      }),
    ),
    amount: z.int(),
    currency: Currency,
    method: z.enum(['card', 'cash']),
  })
  .meta({
    id: 'Return',
    description: 'Goods of an order that came back together; `amount` goes back by the `method` that paid',
  });
type ReturnView = z.output<typeof ReturnView>;

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
    fulfilments: z.array(FulfilmentView).optional(),
    returns: z.array(ReturnView).optional(),
    occurredAt: z.string().nullable(),
    placedAt: z.string(),
    version: z.int(),
  })
  .meta({ id: 'Order' });
export type OrderView = z.output<typeof OrderView>;

/** The order as clients see it, at a version. */
export function viewOf(order: Order, version: number): OrderView {
  const { summary, status, payment, cancellation, fulfilments, returns } = placedOf(order);
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
    ...(fulfilments && { fulfilments: fulfilments.map((each) => fulfilled(summary, each)) }),
    ...(returns && { returns: returns.map((each) => returned(summary, each)) }),
    occurredAt: summary.occurredAt,
    placedAt: summary.placedAt,
    version,
  };
}

type Kept<List extends 'fulfilments' | 'returns'> = NonNullable<PlacedOrder[List]>[number];

function fulfilled({ orderId }: OrderSummary, { fulfilmentId, at, lines }: Kept<'fulfilments'>): FulfilmentView {
  return { id: fulfilmentId, orderId, at, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) };
}

function returned({ orderId, currency, tender }: OrderSummary, each: Kept<'returns'>): ReturnView {
  const { returnId, at, reason, amount } = each;
  const lines = each.lines.map(({ unfulfilled: _, ...line }) => line);
  return { id: returnId, orderId, at, reason, lines, amount, currency, method: tender.method };
}

/** A fulfilment of the order. @throws {Error} it has no such fulfilment */
export function fulfilmentView({ summary, fulfilments = [] }: PlacedOrder, id: string): FulfilmentView {
  const found = fulfilments.find(({ fulfilmentId }) => fulfilmentId === id);
  if (!found) throw new Error(`order ${summary.orderId} has no fulfilment ${id}`);
  return fulfilled(summary, found);
}

/** A return of the order. @throws {Error} it has no such return */
export function returnView({ summary, returns = [] }: PlacedOrder, id: string): ReturnView {
  const found = returns.find(({ returnId }) => returnId === id);
  if (!found) throw new Error(`order ${summary.orderId} has no return ${id}`);
  return returned(summary, found);
}

/** The order of a document as clients see it: now, or as it was at an earlier version. */
export function viewAt(document: StreamDocument<Order>, version = document.version): OrderView {
  return viewOf(stateAt(orders, document, version), version);
}
