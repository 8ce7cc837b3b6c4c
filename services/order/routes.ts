// The public surface of order.
import { z } from 'zod';
import { isRefusal, refuse } from '#kit/errors';
import { At, historyOf } from '#kit/events/history';
import { type Api, accepted, api, type Caller, created, ok } from '#kit/http/api';
import { MAX_WAIT } from '#kit/http/call';
import { Joining } from '#kit/http/idempotency';
import { page, paged, pageOf } from '#kit/http/paging';
import { wrongField } from '#kit/http/validation';
import { isUuid } from '#kit/ids';
import { Instant } from '#kit/time';
import { mayChange, mayRead } from './access.ts';
import { Admission } from './admission.ts';
import { cancel, orderOf, placedOf } from './order.ts';
import { type Placed, type PlaceOrderParts, placeOrder } from './place-order.ts';
import { NewOrder, OrderView, viewAt, viewOf } from './schemas.ts';
import type { OrderViews } from './views.ts';
import { untilFinal } from './wait.ts';

/** Milliseconds after which an order that is still open is taken to wait for others, not for us. */
const UNDECIDED = 5_000;

const Seconds = z
  .number()
  .min(0)
  .transform((seconds) => Math.min(seconds, MAX_WAIT));

export function routes(parts: Omit<PlaceOrderParts, 'admission'> & { readonly views: OrderViews }): Api {
  const { streams, views } = parts;
  const running = new Joining<Placed>();
  const final = untilFinal(streams);
  const admission = new Admission();
  const told = historyOf(streams, {
    stream: ({ id }: { id: string }) => (isUuid(id) ? orderOf(id) : undefined),
    shopOf: (order) => placedOf(order).summary.shopId,
    view: viewOf,
  });

  return api('/orders', { tag: 'orders' })
    .post(
      '',
      {
        summary: 'Place an order',
        description: '`Prefer: wait=10` answers with the final order if it is reached in time.',
        access: 'caller',
        keyed: true,
        takes: NewOrder,
        answers: { 201: OrderView },
        refusals: [
          'FORBIDDEN',
          'TOO_MANY_LINES',
          'TENDER_NOT_ALLOWED',
          'OCCURRED_IN_FUTURE',
          'COUPON_UNKNOWN',
          'SHOP_UNKNOWN',
          'PRODUCT_UNKNOWN',
          'PRICE_UNKNOWN',
          'CURRENCY_MISMATCH',
          'LINE_TOTAL_NEGATIVE',
          'AMOUNT_TOO_LARGE',
          'STOCK_INSUFFICIENT',
          'IDEMPOTENCY_KEY_REUSED',
        ],
      },
      async ({ body, caller, commandId: id, payloadHash: hash, origin, wait, signal }) => {
        const command = { id, hash };
        const cause = { ...origin, causationId: id };
        const placed = await running.run(command, () =>
          admission.place(
            () => placeOrder({ ...parts, admission }, body, caller, command, cause),
            (done) => (isRefusal(done) || done.replayed ? undefined : streams.changed(orderOf(id), UNDECIDED)),
          ),
        );
        if (isRefusal(placed)) return placed;
        const { view, replayed } = placed;
        const location = `/api/v1/orders/${view.id}`;
        if (!wait) return created(location, view, { version: view.version, replayed });
        const document = await final(view.id, wait, signal);
        const latest = document ? viewAt(document) : view;
        return created(location, latest, { version: latest.version, replayed });
      },
    )
    .get(
      '/:id',
      {
        summary: 'An order',
        description: '`wait` (seconds, at most 30) answers as soon as the status is final, or at the end of the wait.',
        access: 'caller',
        query: z.strictObject({ wait: Seconds.optional(), at: At }),
        answers: { 200: OrderView },
        refusals: ['NOT_FOUND', 'FORBIDDEN'],
      },
      async ({ params, query, caller, wait, signal }) => {
        if (query.at !== undefined) {
          if (query.wait !== undefined) return wrongField('wait', 'What is past has ended', 'query');
          return told.at({ params, caller }, query.at);
        }
        const document = isUuid(params.id) ? await streams.read(orderOf(params.id)) : undefined;
        if (!document || !mayRead(caller, placedOf(document.state))) return refuse('NOT_FOUND');
        const seconds = query.wait ?? wait ?? 0;
        if (seconds === 0) return ok(viewAt(document), { version: document.version });
        const latest = (await final(params.id, seconds, signal, document)) ?? document;
        return ok(viewAt(latest), { version: latest.version });
      },
    )
    .get('/:id/events', ...told.events)
    .get(
      '',
      {
        summary: 'Orders, newest first',
        access: 'caller',
        query: z.strictObject({
          customerId: z.string().min(1).max(128).optional(),
          shopId: z.string().min(1).max(64).optional(),
          status: z.enum(['placed', 'confirmed', 'fulfilled', 'cancelled']).optional(),
          from: Instant.optional(),
          to: Instant.optional(),
          ...paged(z.tuple([Instant, z.uuid()])),
        }),
        answers: { 200: pageOf(OrderView) },
        refusals: ['FORBIDDEN'],
      },
      async (call) => {
        const scope = scopeOf(call.caller, call.query);
        if (isRefusal(scope)) return scope;
        const { status, from, to, cursor: after, limit } = call.query;
        const { minVersion } = call;
        const stale = minVersion ? !(await views.table.reached(minVersion.id, minVersion.version)) : false;
        const found = await views.find({ ...scope, status, from, to, after, limit: limit + 1 });
        const items = found.slice(0, limit);
        const last = items.at(-1);
        return page(call, items, found.length > limit && last ? [last.placedAt, last.id] : undefined, { stale });
      },
    )
    .post(
      '/:id/cancel',
      {
        summary: 'Cancel an order whose goods have not left',
        access: 'caller',
        keyed: true,
        takes: z.strictObject({ reason: z.string().max(500) }),
        answers: { 202: OrderView },
        refusals: [
          'NOT_FOUND',
          'FORBIDDEN',
          'ORDER_FULFILLED',
          'ORDER_RETURNED',
          'ORDER_CANCELLED',
          'IDEMPOTENCY_KEY_REUSED',
        ],
      },
      async ({ params, body, caller, commandId: id, payloadHash: hash, origin }) => {
        const ref = orderOf(params.id);
        const document = isUuid(params.id) ? await streams.read(ref) : undefined;
        if (!document || !mayRead(caller, placedOf(document.state))) return refuse('NOT_FOUND');
        if (!mayChange(caller, placedOf(document.state))) return refuse('FORBIDDEN');
        return streams.execute({
          touch: [ref],
          origin: { ...origin, causationId: id },
          decide(desk) {
            const known = desk.recall(ref, { id, hash });
            if (isRefusal(known)) return known;
            if (known) {
              const then = viewAt(desk.document(ref), known.version);
              return accepted(then, { version: known.version, replayed: true });
            }
            const refusal = desk.apply(ref, cancel, body);
            if (refusal) return refusal;
            desk.remember(ref, { id, hash });
            return accepted(viewAt(desk.document(ref)), { version: desk.version(ref) });
          },
        });
      },
    );
}

/** What of the list the caller may see: its own orders, or those of its shops. */
function scopeOf(caller: Caller, query: { customerId?: string | undefined; shopId?: string | undefined }) {
  const { customerId, shopId } = query;
  if (!caller.may('order:read')) {
    if (customerId !== undefined && customerId !== caller.id) return refuse('FORBIDDEN');
    return { customerId: caller.id, shopIds: shopId === undefined ? undefined : [shopId] };
  }
  if (shopId !== undefined && !caller.may('order:read', shopId)) return refuse('FORBIDDEN');
  const shops = caller.shopsWhere('order:read');
  const readable = shops === 'everywhere' ? undefined : shops;
  return { customerId, shopIds: shopId === undefined ? readable : [shopId] };
}
