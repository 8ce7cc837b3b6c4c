// The public surface for goods of an order that are handed out, and that come back.
import { z } from 'zod';
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import type { Decision } from '#kit/events/aggregate';
import { once } from '#kit/events/once';
import type { Streams } from '#kit/events/streams';
import { type Api, api, type Caller, created, type Origin } from '#kit/http/api';
import { isUuid } from '#kit/ids';
import { Quantity } from '#kit/money';
import { mayChange, mayRead, mayWrite } from './access.ts';
import { type Fulfil, fulfil, type TakeBack, takeBack } from './goods.ts';
import { type Order, type OrderEvent, orderOf, type PlacedOrder, placedOf } from './order.ts';
import { MOST_LINES } from './place-order.ts';
import { FulfilmentView, fulfilmentView, ReturnView, returnView, Sku } from './schemas.ts';

const NewFulfilment = z
  .strictObject({
    lines: z
      .array(z.strictObject({ sku: Sku, quantity: Quantity }))
      .min(1)
      .optional(),
  })
  .meta({ id: 'NewFulfilment' });
const NewReturn = z
  .strictObject({
    lines: z.array(z.strictObject({ sku: Sku, quantity: Quantity, condition: z.enum(['sellable', 'damaged']) })).min(1),
    reason: z.string().max(500),
  })
  .meta({ id: 'NewReturn' });

const refusals = [
  'NOT_FOUND',
  'FORBIDDEN',
  'TOO_MANY_LINES',
  'DUPLICATE_LINES',
  'ORDER_NOT_CONFIRMED',
  'ORDER_CANCELLED',
  'SKU_NOT_ORDERED',
  'TOO_MANY_PARTS',
  'IDEMPOTENCY_KEY_REUSED',
] as const;

export interface GoodsParts {
  readonly streams: Streams;
  readonly returnWindowDays: number;
}

/** `/orders/{id}/fulfilments` and `/orders/{id}/returns`. */
export function goodsRoutes({ streams, returnWindowDays: windowDays }: GoodsParts): Api {
  return api('/orders', { tag: 'orders' })
    .post(
      '/:id/fulfilments',
      {
        summary: 'Hand goods of a confirmed order out',
        description: 'Without `lines` all that is left. The order is `fulfilled` once nothing is left.',
        access: 'caller',
        keyed: true,
        takes: NewFulfilment,
        answers: { 201: FulfilmentView },
        refusals: [...refusals, 'ORDER_FULFILLED', 'FULFILMENT_EXCEEDS'],
      },
      async (call) => {
        const { lines } = call.body;
        const command: Fulfil = { fulfilmentId: call.commandId, lines };
        const done = await change(streams, call, mayWrite, lines?.length ?? 0, () => [fulfil, command]);
        if (isRefusal(done)) return done;
        const { order, version, replayed } = done;
        const view = fulfilmentView(order, call.commandId);
        return created(`/api/v1/orders/${call.params.id}`, view, { version, replayed });
      },
    )
    .post(
      '/:id/returns',
      {
        summary: 'Take goods of an order back',
        description:
          'What was charged for them goes back to the tender that paid, and what is sellable goes back on hand, ' +
          'a moment after the answer.',
        access: 'caller',
        keyed: true,
        takes: NewReturn,
        answers: { 201: ReturnView },
        refusals: [...refusals, 'RETURN_EXCEEDS', 'RETURN_WINDOW_CLOSED'],
      },
      async (call) => {
        const { lines, reason } = call.body;
        const command = { returnId: call.commandId, lines, reason, windowDays };
        const done = await change(streams, call, mayChange, lines.length, (now) => [takeBack, { ...command, now }]);
        if (isRefusal(done)) return done;
        const { order, version, replayed } = done;
        const view = returnView(order, call.commandId);
        return created(`/api/v1/orders/${call.params.id}`, view, { version, replayed });
      },
    );
}

type Decide<C> = (order: Order, command: C) => Decision<OrderEvent>;

interface GoodsCall {
  readonly params: { readonly id: string };
  readonly caller: Caller;
  readonly commandId: string;
  readonly payloadHash: string;
  readonly origin: Origin;
}

interface Changed {
  readonly order: PlacedOrder;
  /** Of the order, right after the change. */
  readonly version: number;
  readonly replayed: boolean;
}

/** Decides once for the call's key, which is kept beside the order: an order may be fulfilled and returned in many parts. */
async function change<C extends Fulfil | TakeBack>(
  streams: Streams,
  { params, caller, commandId: id, payloadHash: hash, origin }: GoodsCall,
  mayDo: (caller: Caller, order: PlacedOrder) => boolean,
  lines: number,
  commandAt: (now: string) => readonly [Decide<C>, C],
): Promise<Changed | Refusal> {
  const ref = orderOf(params.id);
  const found = isUuid(params.id) ? await streams.read(ref) : undefined;
  if (!found || !mayRead(caller, placedOf(found.state))) return refuse('NOT_FOUND');
  if (!mayDo(caller, placedOf(found.state))) return refuse('FORBIDDEN');
  if (lines > MOST_LINES) return refuse('TOO_MANY_LINES', { most: MOST_LINES });
  const done = await once(streams, {
    command: { id, hash },
    touch: [ref],
    origin: { ...origin, causationId: id },
    decide(desk): { readonly version: number } | Refusal {
      const [decide, command] = commandAt(desk.now);
      return desk.apply(ref, decide, command) ?? { version: desk.version(ref) };
    },
  });
  if (isRefusal(done)) return done;
  const after = await streams.read(ref);
  if (!after) throw new Error(`${ref.key} is gone`);
  return { order: placedOf(after.state), version: done.result.version, replayed: done.replayed };
}
