// The shops' public surface, and what it answers to other services.
import { z } from 'zod';
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import { commandOrigin } from '#kit/events/command-origin';
import type { Desk } from '#kit/events/desk';
import { At, historyOf } from '#kit/events/history';
import type { Records, Versioned } from '#kit/events/records';
import { api, created, internal, ok } from '#kit/http/api';
import { page, paged, pageOf } from '#kit/http/paging';
import { wrongField } from '#kit/http/validation';
import { Currency } from '#kit/money';
import { TimeZone } from '#kit/time';
import { change, open, type Shop, type ShopEvent, type ShopState, shopIndex } from './shop.ts';

export interface Dependencies {
  readonly shops: Records<ShopState, ShopEvent>;
  /** Makes the id of a shop that comes without one. */
  readonly newId: () => string;
}

const ShopId = z
  .string()
  // It stands in paths of other routes, where `default` already means every shop.
  .regex(/^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$/, '1 to 64 letters, digits, and . _ ~ - after the first')
  .refine((id) => id !== 'default', '`default` stands for every shop');

const description = {
  name: z.string().max(200),
  kind: z.enum(['store', 'web', 'machine', 'warehouse']),
  currency: Currency,
  timeZone: TimeZone,
};
const ShopView = z.strictObject({ id: z.string(), ...description }).meta({ id: 'Shop' });
const ShopDraft = z
  .strictObject({ id: ShopId.optional(), ...description })
  .meta({ id: 'ShopDraft', description: 'The id may be left out: a new shop then gets one' });

const write = { can: 'shop:write' } as const;
const openShops = { ...write, everywhere: true } as const;

export function routes({ shops, newId }: Dependencies) {
  const told = historyOf(shops.streams, {
    stream: ({ id }: { id: string }) => shops.of(id),
    shopOf: (_, { id }) => id,
    view: (shop) => shop as Shop, // its first event opens it
  });
  return api('/shops', { tag: 'shops' })
    .get(
      '',
      {
        summary: 'List the shops',
        access: 'anyone',
        query: z.strictObject(paged(z.strictObject({ after: ShopId }))),
        answers: { 200: pageOf(ShopView) },
      },
      async (call) => {
        const { limit, cursor } = call.query;
        const ids = (await shops.streams.read(shopIndex))?.state ?? [];
        const rest = cursor ? ids.filter((id) => id > cursor.after) : ids;
        const found = await Promise.all(rest.slice(0, limit).map((id) => shops.read(id)));
        const items = found.flatMap((shop) => shop?.state ?? []);
        return page(call, items, rest.length > limit ? { after: rest[limit - 1] } : undefined);
      },
    )
    .get(
      '/:id',
      {
        summary: 'Read a shop',
        access: 'anyone',
        query: z.strictObject({ at: At }),
        answers: { 200: ShopView },
        refusals: ['UNAUTHENTICATED', 'FORBIDDEN'],
      },
      async ({ params, query, caller }) => {
        if (query.at !== undefined) return told.at({ params, caller }, query.at);
        return answer(await shops.read(params.id));
      },
    )
    .get('/:id/events', ...told.events)
    .post(
      '',
      {
        summary: 'Open a shop',
        access: openShops,
        takes: ShopDraft,
        answers: { 201: ShopView },
        refusals: ['ALREADY_EXISTS'],
      },
      async (call) => {
        const { id = newId() } = call.body;
        const opening = {
          id,
          origin: commandOrigin(call),
          touch: [shopIndex],
          along: (desk: Desk) => desk.append(shopIndex, { type: 'shop.listed', data: { id } }),
        };
        const done = await shops.change(opening, open, { ...call.body, id });
        return answer(done, (shop, options) => created(`/api/v1/shops/${id}`, shop, options));
      },
    )
    .put(
      '/:id',
      {
        summary: 'Change a shop',
        description: 'The currency of a shop never changes.',
        access: write,
        guarded: true,
        takes: ShopDraft,
        answers: { 200: ShopView },
        refusals: ['CURRENCY_MISMATCH'],
      },
      async (call) => {
        const { id } = call.params;
        if (!call.caller.may('shop:write', id)) return refuse('FORBIDDEN');
        if (call.body.id !== undefined && call.body.id !== id) return wrongField('id', 'Not the id of the path');
        const changing = { id, held: call.ifMatch, origin: commandOrigin(call) };
        return answer(await shops.change(changing, change, { ...call.body, id }));
      },
    );
}

/** For other services, which hold a shop for some seconds at most. */
export function internalRoutes({ shops }: Dependencies) {
  return internal('/shops').get(
    '/:id',
    { summary: 'Read a shop', answers: { 200: ShopView }, refusals: ['NOT_FOUND'] },
    async ({ params }) => answer(await shops.read(params.id)),
  );
}

function answer(found: Versioned<ShopState> | Refusal | undefined, as: typeof ok<Shop> = ok) {
  if (isRefusal(found)) return found;
  return found?.state ? as(found.state, { version: found.version }) : refuse('NOT_FOUND');
}
