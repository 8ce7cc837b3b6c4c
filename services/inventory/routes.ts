// The public surface of inventory.
import { z } from 'zod';
import { isRefusal, refuse } from '#kit/errors';
import { At, eventsOf, historyOf } from '#kit/events/history';
import {
  type Api,
  api,
  type Caller,
  created,
  internal,
  ok,
  type Origin as RequestOrigin,
  type Spec,
} from '#kit/http/api';
import { Joining } from '#kit/http/idempotency';
import { page, paged, pageOf } from '#kit/http/paging';
import { hashOf, isUuid } from '#kit/ids';
import { Amount, Currency, Quantity } from '#kit/money';
import { explain } from './causes.ts';
import { type Inventory, MOST_RECEIPT_LINES, viewOf } from './inventory.ts';
import { itemOf } from './item.ts';
import type { Booked, Movement } from './movement.ts';
import { reservationOf } from './reservation.ts';
import { MOST_LINES } from './sheet.ts';

export const Id = z.string().min(1).max(64);
export const Sku = z.string().min(1).max(64);
export const Reference = z.string().min(1).max(128);
export const Reason = z.string().max(500).optional();

const Stock = z.strictObject({
  shopId: z.string(),
  sku: z.string(),
  onHand: z.int(),
  reserved: z.int(),
  available: z.int(),
});
const UnitCost = Amount.max(1_000_000_000).optional().meta({ description: 'What a unit had cost, minor units' });
const Receipt = z
  .strictObject({
    shopId: Id,
    lines: z.array(z.strictObject({ sku: Sku, quantity: Quantity, unitCost: UnitCost })).min(1),
    currency: Currency.optional(),
    reference: Reference,
    reason: Reason,
  })
  .refine(({ currency, lines }) => currency !== undefined || lines.every(({ unitCost }) => unitCost === undefined), {
    path: ['currency'],
    message: 'needed with a unit cost',
  });
const Signed = z
  .int()
  .min(-1_000_000)
  .max(1_000_000)
  .refine((quantity) => quantity !== 0, 'not 0');
const Adjustment = z.strictObject({
  shopId: Id,
  lines: z.array(z.strictObject({ sku: Sku, quantity: Signed })).min(1),
  reference: Reference,
  reason: Reason,
});
const Booking = z.strictObject({ id: z.string() });

export const refusals = [
  'SHOP_UNKNOWN',
  'PRODUCT_UNKNOWN',
  'REFERENCE_BOOKED',
  'TOO_MANY_LINES',
  'IDEMPOTENCY_KEY_REUSED',
  'FORBIDDEN',
] as const;

/** Body of a receipt: room for its 20,000 lines. */
const RECEIPT_BYTES = 2 * 1024 * 1024;

/** The routes under `/inventory`. */
export function routes(inventory: Inventory): Api {
  const running = new Joining<Booked>();
  const { streams } = inventory;
  const told = historyOf(streams, {
    stream: ({ shopId, sku }: { shopId: string; sku: string }) => itemOf(shopId, sku),
    shopOf: (_, { shopId }) => shopId,
    view: (item, _, { shopId, sku }) => viewOf(shopId, sku, item),
    explain: (events) => explain(streams, events),
  });

  async function book(
    call: { readonly caller: Caller; readonly commandId: string; readonly origin: RequestOrigin },
    movement: Movement,
    kind: 'receipt' | 'adjustment',
  ) {
    if (!call.caller.may('inventory:write', movement.shopId)) return refuse('FORBIDDEN');
    const command = { id: call.commandId, hash: hashOf(movement) };
    const origin = { ...call.origin, causationId: call.commandId };
    const booked = await running.run(command, () => inventory.book(kind, movement, command, origin));
    if (isRefusal(booked)) return booked;
    const { id, replayed } = booked;
    return created(`/api/v1/inventory/${kind}s/${id}`, { id }, { replayed });
  }

  return api('/inventory', { tag: 'inventory' })
    .get(
      '/:shopId/:sku',
      {
        summary: 'Stock of one sku at one shop',
        access: { can: 'inventory:read' },
        query: z.strictObject({ at: At }),
        answers: { 200: Stock },
        refusals: ['NOT_FOUND', 'FORBIDDEN'],
      },
      async ({ params, query: { at }, caller }) => {
        const { shopId, sku } = params;
        if (!caller.may('inventory:read', shopId)) return refuse('FORBIDDEN');
        if (at !== undefined) return told.at({ params, caller }, at);
        const item = await streams.read(itemOf(shopId, sku));
        if (item) return ok(viewOf(shopId, sku, item.state), { version: item.version });
        const [stock] = await inventory.stock(shopId, [sku]);
        return stock ? ok(stock, { version: 0 }) : refuse('NOT_FOUND');
      },
    )
    .get('/:shopId/:sku/events', ...told.events)
    .get(
      '/:shopId',
      {
        summary: 'Stock of the named skus, or of all that were ever in stock',
        access: { can: 'inventory:read' },
        query: z.strictObject({ sku: z.array(Sku).max(100).optional(), ...paged(z.string()) }),
        answers: { 200: pageOf(Stock) },
        refusals: ['FORBIDDEN'],
      },
      async (call) => {
        const { shopId } = call.params;
        const { sku, limit, cursor } = call.query;
        if (!call.caller.may('inventory:read', shopId)) return refuse('FORBIDDEN');
        if (sku?.length) return page(call, await inventory.stock(shopId, sku), undefined);
        const stale = call.minVersion ? !(await inventory.reached(shopId, call.minVersion)) : false;
        const rows = await inventory.list(shopId, cursor ?? '', limit + 1);
        const items = rows.slice(0, limit);
        return page(call, items, rows.length > limit ? items.at(-1)?.sku : undefined, { stale });
      },
    )
    .post(
      '/receipts',
      {
        summary: 'Book goods in',
        access: { can: 'inventory:write' },
        keyed: true,
        takes: Receipt,
        maxBody: RECEIPT_BYTES,
        answers: { 201: Booking },
        refusals,
      },
      async (call) => {
        const { lines } = call.body;
        if (lines.length > MOST_RECEIPT_LINES) return refuse('TOO_MANY_LINES', { most: MOST_RECEIPT_LINES });
        return book(call, call.body, 'receipt');
      },
    )
    .post(
      '/adjustments',
      {
        summary: 'Correct the record, all lines or none',
        access: { can: 'inventory:write' },
        keyed: true,
        takes: Adjustment,
        answers: { 201: Booking },
        refusals: [...refusals, 'STOCK_INSUFFICIENT'],
      },
      async (call) => {
        if (call.body.lines.length > MOST_LINES) return refuse('TOO_MANY_LINES', { most: MOST_LINES });
        return book(call, call.body, 'adjustment');
      },
    );
}

/** `/reservations`: what an order holds of a shop's stock, told under the order's id. */
export function reservationRoutes({ streams }: Inventory): Api {
  const told = eventsOf(streams, {
    stream: ({ orderId }: { orderId: string }) => (isUuid(orderId) ? reservationOf(orderId) : undefined),
    shopOf: ({ shopId }) => shopId,
  });
  return api('/reservations', { tag: 'inventory' }).get('/:orderId/events', ...told);
}

const Availability = z.strictObject({
  shopId: z.string(),
  lines: z.array(z.strictObject({ sku: z.string(), quantity: z.int().min(1) })).max(500),
});
const Shortages = z.strictObject({
  shortages: z.array(z.strictObject({ sku: z.string(), wanted: z.int(), available: z.int() })),
});

/** What order asks before it accepts a web order: an early answer, never a guarantee. Always 200: a breaker may sit before it. */
export function internalRoutes(inventory: Inventory): Api<Spec> {
  return internal('').post(
    '/availability',
    { summary: 'Which lines cannot be served now', takes: Availability, answers: { 200: Shortages } },
    async ({ body }) => ok({ shortages: await inventory.shortages(body.shopId, body.lines) }),
  );
}
