// Moves the money: asks the provider outside of any handler and saves what it says. Repeated until the outcome is known.

import type { Logger } from 'pino';
import { Fault } from '#kit/errors';
import type { Desk } from '#kit/events/desk';
import type { StreamDocument } from '#kit/events/document';
import type { Streams } from '#kit/events/streams';
import { Worker } from '#kit/events/worker';
import { idOf } from '#kit/ids';
import {
  capture,
  decline,
  type KnownPayment,
  knownOf,
  openReturn,
  type Payment,
  paymentOf,
  type Returned,
  refund,
  refundReturn,
} from './payment.ts';
import type { PreparedCards } from './prepared.ts';
import type { Outcome, Provider } from './provider.ts';
import { settle } from './settle.ts';

/** The provider forgets idempotency keys after a day: from then on a repeat could charge twice, so it is asked first. */
const KEYS_FORGOTTEN_AFTER_MS = 20 * 3_600_000;

export function paymentWorker(parts: {
  readonly streams: Streams;
  readonly provider: Provider;
  readonly cards: PreparedCards;
  readonly log: Logger;
}): Worker {
  const { streams, provider, cards, log } = parts;

  async function perform(paymentId: string): Promise<'done' | 'pending'> {
    let payment = await workOn(paymentId);
    if (payment?.state.status === 'capturing') payment = await save(payment, await captured(payment));
    // A payment that was cancelled while the provider was asked is given back at once.
    if (payment?.state.status === 'refunding') await save(payment, await refunded(payment.state));
    // One after the other: what came back meanwhile is in the document that the last one was saved in.
    for (let open = payment && openReturn(payment.state); payment && open; open = openReturn(payment.state)) {
      payment = await save(payment, await returnRefunded(knownOf(payment.state), open), open.returnId);
    }
    return 'done';
  }

  /** What was saved here a moment ago is enough to begin with: the outcome is decided on what is stored. */
  async function workOn(paymentId: string): Promise<StreamDocument<Payment> | undefined> {
    const lately = streams.lately(paymentOf(paymentId));
    const { status } = lately?.state ?? {};
    const open = status === 'capturing' || status === 'refunding' || (lately && openReturn(lately.state));
    return open ? lately : streams.read(paymentOf(paymentId));
  }

  async function captured({ state, events }: StreamDocument<Payment>): Promise<Outcome> {
    const { paymentId, orderId, amount, currency } = knownOf(state).due;
    const age = streams.clock().getTime() - Date.parse(events[0]?.at ?? '');
    if (age > KEYS_FORGOTTEN_AFTER_MS) {
      const known = await provider.lookup({ paymentId });
      if (known) return known;
    }
    const token = await cards.find(orderId);
    if (token === undefined) return { outcome: 'refused', code: 'CARD_MISSING', detail: 'No card was given' };
    return provider.capture({ paymentId, orderId, amount, currency, token });
  }

  function refunded({ due, providerRef }: KnownPayment): Promise<Outcome> {
    const { paymentId, amount, currency } = due;
    if (providerRef === null) throw new Error(`${paymentId} has nothing to give back`);
    return provider.refund({ paymentId, providerRef, refundId: idOf('refund', paymentId), amount, currency });
  }

  async function returnRefunded({ due, providerRef }: KnownPayment, open: Returned): Promise<Outcome> {
    const { paymentId, currency } = due;
    const { returnId: refundId, amount, requestedAt } = open;
    if (providerRef === null) throw new Error(`${paymentId} has nothing to give back`);
    // A whole refund could not be made twice, a part of the money could.
    if (streams.clock().getTime() - Date.parse(requestedAt) > KEYS_FORGOTTEN_AFTER_MS) {
      const known = await provider.findRefund({ paymentId, providerRef, refundId });
      if (known) return known;
    }
    return provider.refund({ paymentId, providerRef, refundId, amount, currency });
  }

  async function save(
    { state, events }: StreamDocument<Payment>,
    outcome: Outcome,
    returnId?: string,
  ): Promise<StreamDocument<Payment>> {
    const { paymentId } = knownOf(state).due;
    const ref = paymentOf(paymentId);
    if (outcome.outcome === 'refused' && (state.status === 'refunding' || returnId !== undefined)) {
      throw new Fault(`the provider will not give ${paymentId} back: ${outcome.code}`);
    }
    const last = events.findLast(({ data }) => returnId === undefined || isAbout(data, returnId));
    return streams.execute({
      touch: [ref],
      origin: {
        actor: `app:${streams.source}`,
        correlationId: last?.correlationId ?? paymentId,
        causationId: last?.id ?? paymentId,
        traceparent: last?.traceparent ?? '',
      },
      decide(desk) {
        conclude(desk, ref, outcome, returnId);
        return desk.document(ref);
      },
    });
  }

  return new Worker({ perform, log });
}

function isAbout(data: unknown, returnId: string): boolean {
  return (data as { readonly returnId?: string }).returnId === returnId;
}

function conclude(desk: Desk, ref: ReturnType<typeof paymentOf>, outcome: Outcome, returnId?: string): void {
  if (outcome.outcome === 'captured') settle(desk, ref, capture, { providerRef: outcome.providerRef });
  else if (outcome.outcome === 'refunded') {
    const { refundRef } = outcome;
    if (returnId === undefined) settle(desk, ref, refund, { refundRef });
    else settle(desk, ref, refundReturn, { returnId, refundRef });
  } else settle(desk, ref, decline, { code: 'PAYMENT_DECLINED', detail: outcome.detail });
}
