// Transfers: the source sends, the destination receives.
import { z } from 'zod';
import { isRefusal, refuse } from '#kit/errors';
import { type Api, type Caller, created, ok } from '#kit/http/api';
import { Joining } from '#kit/http/idempotency';
import { hashOf, isUuid } from '#kit/ids';
import { Quantity } from '#kit/money';
import { Instant } from '#kit/time';
import type { Inventory } from './inventory.ts';
import type { Booked } from './movement.ts';
import { mergedBySku } from './reservation.ts';
import { Id, Reason, Reference, refusals, Sku } from './routes.ts';
import { checkSheet, MOST_LINES } from './sheet.ts';
import { type Transfer, transferOf } from './transfer.ts';
import { arrivalHash, receiveTransfer, transferGoods } from './transfer-goods.ts';

const Units = z.int().min(0).max(1_000_000);

const Sending = z.strictObject({
  shopId: Id,
  toShopId: Id,
  lines: z.array(z.strictObject({ sku: Sku, quantity: Quantity })).min(1),
  reference: Reference,
  reason: Reason,
  receive: z
    .boolean()
    .default(true)
    .meta({ description: 'False: the goods stay in transit until the destination books what arrived' }),
});

const Arrivals = z
  .strictObject({
    lines: z
      .array(
        z
          .strictObject({ sku: Sku, received: Units, damaged: Units.default(0) })
          .refine(({ received, damaged }) => damaged <= received, { path: ['damaged'], message: 'more than arrived' }),
      )
      .min(1)
      .optional()
      .meta({ description: 'Every sku that was sent, and what else arrived; without it: all as sent' }),
  })
  .optional();

const ReceivedLine = z.strictObject({
  sku: z.string(),
  sent: z.int(),
  received: z.int(),
  damaged: z.int(),
  difference: z.int(),
  reason: z.enum(['lost_in_transit', 'surplus']).nullable(),
});
const TransferView = z
  .strictObject({
    id: z.uuid(),
    shopId: z.string(),
    toShopId: z.string(),
    reference: z.string(),
    reason: z.string(),
    status: z.enum(['in_transit', 'received']),
    lines: z.array(z.strictObject({ sku: z.string(), quantity: z.int() })),
    received: z.array(ReceivedLine),
    dispatchedAt: Instant,
    receivedAt: Instant.nullable(),
  })
  .meta({ id: 'Transfer' });
const Booking = z.strictObject({ id: z.string() });

/** Adds the routes under `/transfers`. */
export function withTransfers(routes: Api, inventory: Inventory): Api {
  const running = new Joining<Booked>();
  const { streams } = inventory;

  return routes
    .post(
      '/transfers',
      {
        summary: 'Send goods to another shop, all lines or none',
        description:
          'Needs `inventory:write` in the source, and in the destination too unless the goods stay in transit (`receive: false`).',
        access: { can: 'inventory:write' },
        keyed: true,
        takes: Sending,
        answers: { 201: Booking },
        refusals: [...refusals, 'STOCK_INSUFFICIENT'],
      },
      async (call) => {
        const { caller, body, commandId } = call;
        const { shopId, toShopId, lines, receive } = body;
        const ends = receive ? [shopId, toShopId] : [shopId];
        if (!ends.every((shop) => caller.may('inventory:write', shop))) return refuse('FORBIDDEN');
        if (shopId === toShopId) {
          const errors = [{ pointer: '/toShopId', detail: 'Not the shop that sends' }];
          return refuse('VALIDATION_FAILED', { errors });
        }
        if (lines.length > MOST_LINES) return refuse('TOO_MANY_LINES', { most: MOST_LINES });
        const command = { id: commandId, hash: hashOf(body) };
        const origin = { ...call.origin, causationId: commandId };
        const wish = { ...body, lines: mergedBySku(lines) };
        const booked = await running.run(command, async () => {
          const unknown = (await inventory.unknown(shopId, lines)) ?? (await inventory.unknown(toShopId, []));
          return unknown ?? transferGoods(streams, wish, command, origin);
        });
        if (isRefusal(booked)) return booked;
        const { id, replayed } = booked;
        return created(`/api/v1/inventory/transfers/${id}`, { id }, { replayed });
      },
    )
    .get(
      '/transfers/:id',
      {
        summary: 'A transfer, on its way or received',
        access: { can: 'inventory:read' },
        answers: { 200: TransferView },
        refusals: ['NOT_FOUND'],
      },
      async ({ params: { id }, caller }) => {
        const found = isUuid(id) ? await streams.read(transferOf(id)) : undefined;
        if (!found || !isEnd(caller, 'inventory:read', found.state)) return refuse('NOT_FOUND');
        const view = viewOf(found.state);
        return view ? ok(view, { version: found.version }) : refuse('NOT_FOUND');
      },
    )
    .post(
      '/transfers/:id/receipts',
      {
        summary: 'Book what arrived of a transfer, once',
        description:
          'Needs `inventory:write` in the destination. What is short or over is posted as a difference with its reason; damaged units are written off.',
        access: { can: 'inventory:write' },
        keyed: true,
        takes: Arrivals,
        answers: { 201: Booking },
        refusals: [
          ...['NOT_FOUND', 'FORBIDDEN', 'TRANSFER_RECEIVED', 'DUPLICATE_LINES', 'TOO_MANY_LINES'],
          ...['PRODUCT_UNKNOWN', 'SHOP_UNKNOWN', 'IDEMPOTENCY_KEY_REUSED'],
        ] as const,
      },
      async (call) => {
        const { caller, commandId } = call;
        const { id } = call.params;
        const lines = call.body?.lines;
        const transfer = isUuid(id) ? (await streams.read(transferOf(id)))?.state : undefined;
        if (!transfer?.dispatchedAt || !isEnd(caller, 'inventory:write', transfer)) return refuse('NOT_FOUND');
        if (!caller.may('inventory:write', transfer.toShopId)) return refuse('FORBIDDEN');
        const wrong = lines && checkSheet(lines);
        if (wrong) return wrong;
        const command = { id: commandId, hash: arrivalHash(id, lines) };
        const origin = { ...call.origin, causationId: commandId };
        const booked = await running.run(command, async () => {
          const unknown = lines && (await inventory.unknown(transfer.toShopId, lines));
          return unknown ?? receiveTransfer(streams, id, lines, command, origin);
        });
        if (isRefusal(booked)) return booked;
        return created(`/api/v1/inventory/transfers/${id}`, { id }, { replayed: booked.replayed });
      },
    );
}

/** True for who may do it at one end at least; to all others the transfer does not exist. */
function isEnd(
  caller: Caller,
  permission: 'inventory:read' | 'inventory:write',
  { shopId, toShopId }: Transfer,
): boolean {
  return caller.may(permission, shopId) || caller.may(permission, toShopId);
}

function viewOf(transfer: Transfer): z.output<typeof TransferView> | undefined {
  const { status, dispatchedAt, transferId: id, shopId, toShopId, reference, reason, receivedAt } = transfer;
  if (dispatchedAt === null || (status !== 'in_transit' && status !== 'received')) return undefined;
  const [lines, received] = [[...transfer.lines], [...transfer.received]];
  return { id, shopId, toShopId, reference, reason, status, lines, received, dispatchedAt, receivedAt };
}
