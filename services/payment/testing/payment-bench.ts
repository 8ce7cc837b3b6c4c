// The payment service on a bench, with a card provider that does what it is told.
import { type Bench, event, startBench } from '#kit/testing/bench';
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
  const head = { orderId, shopId: 'web', partition: 'web/1', customerId: 'c-1', currency: 'USD' };
  const line = { sku: 'tea', quantity: 1 };
  const paymentId = paymentIdOf(orderId);
  return {
    reserved: event('stock.reserved', `reservation:${orderId}`, 1, {
      ...{ ...head, amount, tender: { method }, settled: false },
      lines: [{ ...line, itemVersion: 2, onHand: 9, reserved: 1, sold: 0 }],
    }),
    cancelled: event('order.cancelled', `order:${orderId}`, 2, {
      ...{ ...head, channel: 'web', timeZone: 'UTC', occurredAt: null, placedAt: '2026-01-01T00:00:00.000Z' },
      ...{ tender: { method }, gross: amount, discounts: 0, net: amount, tax: 0, settled: false, deadlineAt: null },
      lines: [{ ...line, unitPrice: amount, discounts: [], total: amount, department: null }],
      ...{ cancellation: { code: 'CUSTOMER_REQUEST', detail: 'No more' }, from: 'placed' },
    }),
    webhook: event('provider.event', `provider-event:evt-${orderId}`, 1, {
      ...{ providerEventId: `evt-${orderId}`, kind: 'captured', paymentId, orderId, providerRef: 'pi_1' },
      ...{ amount, currency: 'USD', occurredAt: '2026-01-01T00:00:00.000Z' },
    }),
  };
}
