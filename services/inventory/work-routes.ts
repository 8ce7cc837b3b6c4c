// What staff do with stock beside receipts and corrections: write-offs, counts, thresholds; transfers have a file of their own.
import { z } from 'zod';
import { isRefusal, refuse } from '#kit/errors';
import { commandOrigin } from '#kit/events/command-origin';
import { type Api, api, created, ok } from '#kit/http/api';
import { Joining } from '#kit/http/idempotency';
import { hashOf } from '#kit/ids';
import { Quantity } from '#kit/money';
import type { CountedLine } from './count.ts';
import type { Inventory } from './inventory.ts';
import type { Booked } from './movement.ts';
import { postCount } from './post-count.ts';
import { Id, Reference, refusals, Sku } from './routes.ts';
import { setThreshold } from './set-threshold.ts';
import { checkSheet } from './sheet.ts';
import { thresholdOf } from './threshold.ts';
import { withTransfers } from './transfer-routes.ts';
import { writeOffReasons } from './write-off.ts';
import { writeOffGoods } from './write-off-goods.ts';

const Units = z.int().min(0).max(1_000_000);

const WriteOff = z.strictObject({
  shopId: Id,
  reference: Reference,
  lines: z.array(z.strictObject({ sku: Sku, quantity: Quantity, reason: z.enum(writeOffReasons) })).min(1),
  note: z.string().max(500).optional(),
});
const Booking = z.strictObject({ id: z.string() });

const Count = z.strictObject({
  shopId: Id,
  reference: Reference,
  lines: z
    .array(
      z.strictObject({
        sku: Sku,
        counted: Units,
        itemVersion: z
          .int()
          .min(0)
          .optional()
          .meta({ description: 'The ETag of the stock that the counter saw; without it: as it is when posted' }),
      }),
    )
    .min(1),
});
const Counted = z.strictObject({
  id: z.string(),
  lines: z.array(
    z.strictObject({
      sku: z.string(),
      expected: z.int(),
      counted: z.int(),
      difference: z.int(),
      unposted: z.int().meta({ description: 'Units missing that stay on record because they are promised to orders' }),
    }),
  ),
});

const LowStockAt = z
  .int()
  .min(0)
  .max(1_000_000)
  .nullable()
  .meta({ description: 'Available units at or below which `stock.low` is told; null: never' });
const Threshold = z.strictObject({ shopId: z.string(), sku: z.string(), lowStockAt: LowStockAt });

/** The routes under `/inventory` for work on stock. Before those of single items: `/transfers/{id}` is no sku of a shop. */
export function workRoutes(inventory: Inventory): Api {
  const writingOff = new Joining<Booked>();
  const counting = new Joining<Booked & { readonly lines: readonly CountedLine[] }>();
  const { streams } = inventory;

  const routes = api('/inventory', { tag: 'inventory' })
    .post(
      '/write-offs',
      {
        summary: 'Write goods off that cannot be sold, all lines or none',
        description: 'Units that are promised to orders cannot be written off: cancel the order first.',
        access: { can: 'inventory:write' },
        keyed: true,
        takes: WriteOff,
        answers: { 201: Booking },
        refusals: [...refusals, 'DUPLICATE_LINES', 'STOCK_INSUFFICIENT'],
      },
      async (call) => {
        const { caller, body, commandId } = call;
        if (!caller.may('inventory:write', body.shopId)) return refuse('FORBIDDEN');
        const wrong = checkSheet(body.lines);
        if (wrong) return wrong;
        const command = { id: commandId, hash: hashOf(body) };
        const origin = { ...call.origin, causationId: commandId };
        const booked = await writingOff.run(command, async () => {
          const unknown = await inventory.unknown(body.shopId, body.lines);
          return unknown ?? writeOffGoods(streams, body, command, origin);
        });
        if (isRefusal(booked)) return booked;
        const { id, replayed } = booked;
        return created(`/api/v1/inventory/write-offs/${id}`, { id }, { replayed });
      },
    )
    .post(
      '/counts',
      {
        summary: 'Post a stocktake: the difference of each sku to the record',
        description:
          'With `itemVersion` a count is held against the record that the counter saw, so that sales since are not taken ' +
          'for a loss. Never refused for stock: what is promised to orders stays on record (`unposted`).',
        access: { can: 'inventory:write' },
        keyed: true,
        takes: Count,
        answers: { 201: Counted },
        refusals: [...refusals, 'DUPLICATE_LINES'],
      },
      async (call) => {
        const { caller, body, commandId } = call;
        if (!caller.may('inventory:write', body.shopId)) return refuse('FORBIDDEN');
        const wrong = checkSheet(body.lines);
        if (wrong) return wrong;
        const command = { id: commandId, hash: hashOf(body) };
        const origin = { ...call.origin, causationId: commandId };
        const posted = await counting.run(command, async () => {
          const unknown = await inventory.unknown(body.shopId, body.lines);
          return unknown ?? postCount(streams, body, command, origin);
        });
        if (isRefusal(posted)) return posted;
        const { id, lines, replayed } = posted;
        return created(`/api/v1/inventory/counts/${id}`, { id, lines: [...lines] }, { replayed });
      },
    )
    .get(
      '/:shopId/:sku/threshold',
      {
        summary: 'At how many units a shop is told that a sku runs out',
        access: { can: 'inventory:read' },
        answers: { 200: Threshold },
        refusals: ['NOT_FOUND', 'FORBIDDEN'],
      },
      async ({ params: { shopId, sku }, caller }) => {
        if (!caller.may('inventory:read', shopId)) return refuse('FORBIDDEN');
        const found = await streams.read(thresholdOf(shopId, sku));
        if (!found && (await inventory.stock(shopId, [sku])).length === 0) return refuse('NOT_FOUND');
        const { lowStockAt = null } = found?.state ?? {};
        return ok({ shopId, sku, lowStockAt }, { version: found?.version ?? 0 });
      },
    )
    .put(
      '/:shopId/:sku/threshold',
      {
        summary: 'Set or lift (null) the threshold; `If-Match: "0"` when there never was one',
        access: { can: 'inventory:write' },
        guarded: true,
        takes: z.strictObject({ lowStockAt: LowStockAt }),
        answers: { 200: Threshold },
        refusals: ['NOT_FOUND', 'FORBIDDEN'],
      },
      async (call) => {
        const { shopId, sku } = call.params;
        const { lowStockAt } = call.body;
        if (!call.caller.may('inventory:write', shopId)) return refuse('FORBIDDEN');
        if ((await inventory.stock(shopId, [sku])).length === 0) return refuse('NOT_FOUND');
        const wish = { shopId, sku, lowStockAt, held: call.ifMatch };
        const set = await setThreshold(streams, wish, commandOrigin(call));
        return isRefusal(set) ? set : ok({ shopId, sku, lowStockAt }, { version: set.version });
      },
    );
  return withTransfers(routes, inventory);
}
