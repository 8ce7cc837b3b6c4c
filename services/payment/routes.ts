// The public surface of payment, and what order asks of it.
import { z } from 'zod';
import { refuse } from '#kit/errors';
import { At, historyOf } from '#kit/events/history';
import type { Streams } from '#kit/events/streams';
import { type Api, api, type Caller, internal, noContent, ok, type Spec } from '#kit/http/api';
import { page, pageOf } from '#kit/http/paging';
import { isUuid } from '#kit/ids';
import { type KnownPayment, knownOf, openReturn, paymentIdOf, paymentOf } from './payment.ts';
import type { PreparedCards } from './prepared.ts';

const Movement = z.strictObject({ amount: z.int(), at: z.string() });
const Refund = z.strictObject({
  ...Movement.shape,
  returnId: z.string().optional().meta({ description: 'The return of the order that it was made for' }),
});
const PaymentView = z
  .strictObject({
    id: z.string(),
    orderId: z.string(),
    status: z.enum(['pending', 'captured', 'failed', 'cancelled', 'refunding', 'refunded']),
    amount: z.int(),
    currency: z.string(),
    captures: z.array(Movement),
    refunds: z.array(Refund),
  })
  .meta({ id: 'Payment' });
type PaymentView = z.output<typeof PaymentView>;

const STATUS = {
  capturing: 'pending',
  captured: 'captured',
  failed: 'failed',
  voided: 'cancelled',
  refunding: 'refunding',
  refunded: 'refunded',
} as const;

/** The routes under `/payments`. */
export function routes(streams: Streams): Api {
  const told = historyOf(streams, {
    stream: ({ id }: { id: string }) => (isUuid(id) ? paymentOf(id) : undefined),
    shopOf: (payment) => knownOf(payment).due.shopId,
    view: (payment) => viewOf(knownOf(payment)),
  });
  return api('/payments', { tag: 'payments' })
    .get(
      '',
      {
        summary: 'The payment of an order',
        access: 'caller',
        query: z.strictObject({ orderId: z.string().min(1).max(128) }),
        answers: { 200: pageOf(PaymentView) },
      },
      async (call) => {
        const document = await streams.read(paymentOf(paymentIdOf(call.query.orderId)));
        const visible =
          document && mayRead(call.caller, knownOf(document.state)) ? [viewOf(knownOf(document.state))] : [];
        return page(call, visible, undefined);
      },
    )
    .get(
      '/:id',
      {
        summary: 'A payment',
        access: 'caller',
        query: z.strictObject({ at: At }),
        answers: { 200: PaymentView },
        refusals: ['NOT_FOUND', 'FORBIDDEN'],
      },
      async ({ params, query, caller }) => {
        if (query.at !== undefined) return told.at({ params, caller }, query.at);
        const document = isUuid(params.id) ? await streams.read(paymentOf(params.id)) : undefined;
        if (!document || !mayRead(caller, knownOf(document.state))) return refuse('NOT_FOUND');
        return ok(viewOf(knownOf(document.state)), { version: document.version });
      },
    )
    .get('/:id/events', ...told.events);
}

const Card = z.strictObject({ orderId: z.uuid(), token: z.string().min(1).max(255) });

/** `/internal/prepare`: the card tokens only, of one or several orders; answered before the order is accepted. */
export function internalRoutes(cards: PreparedCards): Api<Spec> {
  return internal('').post(
    '/prepare',
    {
      summary: 'Keep the cards of orders until their outcome is known',
      takes: z.strictObject({ cards: z.array(Card).min(1).max(50) }),
      answers: { 204: null },
    },
    async ({ body }) => {
      await cards.keep(body.cards);
      return noContent();
    },
  );
}

function mayRead(caller: Caller, { due }: KnownPayment): boolean {
  return caller.isCustomer(due.customerId) || caller.may('payment:read', due.shopId);
}

/** A captured payment is `refunding` while money goes back for a return, `refunded` when all of it has. */
function statusOf(payment: KnownPayment): PaymentView['status'] {
  const { status, due, returns = [] } = payment;
  if (status !== 'captured' || returns.length === 0) return STATUS[status];
  if (openReturn(payment)) return 'refunding';
  return returns.reduce((sum, { amount }) => sum + amount, 0) === due.amount ? 'refunded' : 'captured';
}

function viewOf(payment: KnownPayment): PaymentView {
  const { due, captures, refunds } = payment;
  return {
    id: due.paymentId,
    orderId: due.orderId,
    status: statusOf(payment),
    amount: due.amount,
    currency: due.currency,
    captures: [...captures],
    refunds: [...refunds],
  };
}
