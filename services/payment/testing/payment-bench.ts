// The payment service on a bench, with a card provider that does what it is told.
import { type Bench, event, startBench } from '#kit/testing/bench';
import { example } from '#kit/testing/example';
import { paymentService } from '../app.ts';
import type { LedgerEntry } from '../ledger.ts';
import { paymentIdOf } from '../payment.ts';
import { preparedKey } from '../prepared.ts';

const STORE = 'statestore-payment';

export const captured = { outcome: 'captured', providerRef: 'pi_1' };
export const declined = { outcome: 'declined', code: 'card_declined', detail: 'Your card was declined.' };

/** What the provider answers: a body, a status alone, or later. */
export type Answer = object | number | Promise<object | number>;

export interface PaymentBench extends Bench {
  /** Answers of the provider by path (`capture`, `refund`, `lookup`); a payment is captured and refunded unless told. */
  readonly provider: Record<'capture' | 'refund' | 'lookup', (request: never) => Answer>;
  /** Paths that the provider was asked for about a payment, oldest first. */
  askedOf(paymentId: string): string[];
  /** Time for the service; moves only by hand. */
  now: Date;
  /** An order with its events and what is to be seen of its payment. */
  order(options?: Wanted): Promise<PaymentOfOrder>;
}

/** By card, 5.00, with a good token, unless told; an empty token is none. */
export interface Wanted {
  readonly method?: 'card' | 'cash';
  readonly amount?: number;
  readonly token?: string;
}

export interface PaymentOfOrder extends ReturnType<typeof eventsOf> {
  readonly orderId: string;
  readonly paymentId: string;
  /** The types of its events, without their prefix. */
  happened(): string[];
  ledger(): (LedgerEntry | undefined)[];
  /** What was booked for a return. */
  booked(returnId: string): LedgerEntry | undefined;
  /** True while its card is kept. */
  hasCard(): boolean;
}

export async function startPaymentBench(): Promise<PaymentBench> {
  const clock = () => bench.now;
  const base = await startBench((parts) => paymentService({ ...parts, clock, providerTimeout: 2_000 }), {
    name: 'payment',
  });
  const bench: PaymentBench = Object.assign(base, {
    now: new Date('2026-03-01T10:00:00.000Z'),
    provider: {
      capture: () => captured as Answer,
      refund: () => ({ outcome: 'refunded', refundRef: 're_1' }) as Answer,
      lookup: () => ({ outcome: 'absent' }) as Answer,
    },
    askedOf: (paymentId: string) =>
      base.asked.flatMap(({ path, body }) =>
        (body as { paymentId: string }).paymentId === paymentId ? (path.split('/').at(-1) ?? []) : [],
      ),
    async order(options: Wanted = {}) {
      const { method = 'card', amount = 500, token = 'pm_card_visa' } = options;
      const orderId = crypto.randomUUID();
      const paymentId = paymentIdOf(orderId);
      if (method === 'card' && token) {
        const answer = await base
          .as()
          .post('/internal/prepare')
          .send({ cards: [{ orderId, token }] });
        if (answer.status !== 204) throw new Error(JSON.stringify(answer.body));
      }
      return {
        ...{ orderId, paymentId, ...eventsOf(orderId, method, amount) },
        happened: () => base.published(`payment:${paymentId}`).map(({ type }) => type.slice('payment.'.length)),
        ledger: () =>
          ['capture', 'refund'].map((kind) => base.fake.peek(STORE, `ledger:${paymentId}:${kind}`) as LedgerEntry),
        booked: (returnId: string) =>
          base.fake.peek(STORE, `ledger:${paymentId}:return:${returnId}`) as LedgerEntry | undefined,
        hasCard: () => base.fake.peek(STORE, preparedKey(orderId)) !== undefined,
      };
    },
  });
  base.play('payment-provider', (path, request) => {
    const what = path.split('/').at(-1) as keyof PaymentBench['provider'];
    return bench.provider[what](request);
  });
  return bench;
}

function eventsOf(orderId: string, method: 'card' | 'cash', amount: number) {
  const paymentId = paymentIdOf(orderId);
  const of = (type: string, stream: string, version: number, more: object) =>
    event(type, stream, version, example(type, { orderId, ...more }));
  const paid = { customerId: 'c-1', partition: 'web/1', tender: { method } };
  const cancelled = { ...paid, net: amount, gross: amount, from: 'placed' };
  return {
    reserved: of('stock.reserved', `reservation:${orderId}`, 1, { ...paid, amount }),
    cancelled: of('order.cancelled', `order:${orderId}`, 2, cancelled),
    /** A part of the goods came back; each return is a later version of the order. */
    returned: (returnId: string, part: number, version = 3) =>
      of('order.returned', `order:${orderId}`, version, { ...paid, returnId, amount: part }),
    webhook: of('provider.event', `provider-event:evt-${orderId}`, 1, {
      ...{ providerEventId: `evt-${orderId}`, paymentId, amount, providerRef: 'pi_1' },
    }),
  };
}
