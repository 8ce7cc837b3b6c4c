// The card provider's account, as the real adapter (services/payment-provider) sees it through Stripe's client: idempotency
// keys, declines, and everything that can happen to a call between them. It is not careful: a capture or refund that is asked
// for twice under two keys is done twice.
import Stripe from 'stripe';
import { idOf } from '../../services/kit/ids.ts';
import { type CardProvider, cardProvider } from '../../services/payment-provider/provider.ts';
import { providerEventMessage } from '../../services/payment-provider/provider-event-message.ts';
import type { BookSummary } from '../simulators/card-provider/control-client.ts';
import type { World } from './world.ts';

interface Intent {
  readonly id: string;
  readonly object: 'payment_intent';
  readonly status: 'succeeded' | 'requires_payment_method';
  readonly amount: number;
  readonly amount_received: number;
  readonly currency: string;
  readonly metadata: { readonly payment_id: string; readonly order_id: string };
}

interface Refund {
  readonly id: string;
  readonly object: 'refund';
  readonly status: 'succeeded';
  readonly payment_intent: string;
  readonly amount: number;
  readonly metadata: { readonly refund_id: string };
}

interface IntentParams {
  readonly amount: number;
  readonly currency: string;
  readonly payment_method: string;
  readonly metadata: Intent['metadata'];
}

/** A card that is refused. */
export const BAD_CARD = 'tok_declined';

export class CardAccount {
  /** The real adapter on this account. */
  readonly adapter: CardProvider;
  readonly #world: World;
  readonly #intents = new Map<string, Intent>();
  readonly #refunds: Refund[] = [];
  readonly #kept = new Map<string, { readonly asked: string; readonly answer: () => unknown }>();
  #ids = 0;

  constructor(world: World) {
    this.#world = world;
    const stripe = {
      paymentIntents: {
        create: (params: IntentParams, { idempotencyKey }: { idempotencyKey?: string } = {}) =>
          this.#call(() => this.#once(idempotencyKey, params, () => this.#capture(params))),
        retrieve: (id: string) => this.#call(() => this.#intents.get(id)),
        search: ({ query }: { query: string }) =>
          this.#call(() => ({
            data: [...this.#intents.values()].filter(({ metadata }) => query.includes(`'${metadata.payment_id}'`)),
          })),
      },
      refunds: {
        create: (
          params: Omit<Refund, 'id' | 'object' | 'status'>,
          { idempotencyKey }: { idempotencyKey?: string } = {},
        ) => this.#call(() => this.#once(idempotencyKey, params, () => this.#refund(params))),
        list: ({ payment_intent }: { payment_intent: string }) =>
          this.#call(() => ({ data: this.#refunds.filter((refund) => refund.payment_intent === payment_intent) })),
      },
    };
    this.adapter = cardProvider(stripe as unknown as Stripe);
  }

  /** What a checker of "at most one capture" wants to see. */
  book(): BookSummary {
    const intents = [...this.#intents.values()].map(({ id, metadata, status, amount, currency }) => {
      const refunds = this.#refunds.filter(({ payment_intent }) => payment_intent === id);
      return {
        ...{ id, status, amount, currency, metadata, created: 0, declines: [], refunds: [] },
        paymentId: metadata.payment_id,
        orderId: metadata.order_id,
        captures: status === 'succeeded' ? [{ id, amount, at: 0 }] : [],
        refunded: refunds.reduce((sum, refund) => sum + refund.amount, 0),
      };
    });
    return { intents, webhooks: { delivered: 0, pending: 0 }, requests: 0 };
  }

  /** A call over the open network and through the sidecar's breaker, which answers in the provider's place when it is open. */
  async #call<T>(work: () => T): Promise<T> {
    const { time, random, weather } = this.#world;
    await time.pause(random.between(5, 60));
    const { StripeAPIError, StripeConnectionError } = Stripe.errors;
    if (weather.happens('lost')) throw new StripeConnectionError({ type: 'api_error', message: 'timeout' });
    if (weather.happens('lost')) return { errorCode: 'ERR_DIRECT_INVOKE', message: 'circuit breaker is open' } as T;
    if (weather.happens('lost')) throw new StripeAPIError({ type: 'api_error', message: 'trouble' });
    const value = work();
    if (weather.happens('answerLost')) throw new StripeConnectionError({ type: 'api_error', message: 'timeout' });
    if (weather.happens('slow')) await time.pause(random.between(100, 10_000));
    return value;
  }

  /** The first answer under a key is the answer to every repeat, also when it was a refusal. */
  #once(key: string | undefined, params: unknown, work: () => unknown): unknown {
    const asked = JSON.stringify(params);
    const kept = key === undefined ? undefined : this.#kept.get(key);
    if (kept && kept.asked !== asked) {
      throw new Stripe.errors.StripeIdempotencyError({ type: 'idempotency_error', message: 'another request' });
    }
    if (kept) return kept.answer();
    let answer: () => unknown;
    try {
      const value = work();
      answer = () => value;
    } catch (error) {
      answer = () => {
        throw error;
      };
    }
    if (key !== undefined) this.#kept.set(key, { asked, answer });
    return answer();
  }

  #capture({ amount, currency, payment_method, metadata }: IntentParams): Intent {
    const bad = payment_method === BAD_CARD;
    const status = bad ? 'requires_payment_method' : 'succeeded';
    this.#ids += 1;
    const intent: Intent = {
      ...{ id: `pi_${this.#ids}`, object: 'payment_intent', status, amount, currency, metadata },
      amount_received: bad ? 0 : amount,
    };
    this.#intents.set(intent.id, intent);
    this.#tell(bad ? 'failed' : 'captured', intent);
    if (!bad) return intent;
    const message = 'Your card was declined.';
    const raw = {
      type: 'card_error',
      code: 'card_declined',
      decline_code: 'generic_decline',
      message,
      payment_intent: intent,
    };
    throw new Stripe.errors.StripeCardError(raw as never);
  }

  #refund(params: Omit<Refund, 'id' | 'object' | 'status'>): Refund {
    this.#ids += 1;
    const refund: Refund = { id: `re_${this.#ids}`, object: 'refund', status: 'succeeded', ...params };
    this.#refunds.push(refund);
    const intent = this.#intents.get(params.payment_intent);
    if (intent) this.#tell('refunded', intent);
    return refund;
  }

  /** The webhook, behind the adapter: late, doubled or never. */
  #tell(kind: 'captured' | 'failed' | 'refunded', { id, amount, currency, metadata }: Intent): void {
    const { time, random, broker } = this.#world;
    const copies = random.below(3);
    for (let copy = 0; copy < copies; copy += 1) {
      time.schedule(random.between(1, 3_000), () => {
        const event = {
          ...{ kind, amount, currency: currency.toUpperCase(), providerRef: id, occurredAt: time.date().toISOString() },
          ...{ providerEventId: idOf(id, kind), paymentId: metadata.payment_id, orderId: metadata.order_id },
        };
        const message = providerEventMessage(event, 'payment-provider', 'webhook', '');
        broker.append('provider-events', JSON.stringify(message), event.paymentId);
      });
    }
  }
}
