// What payment and the gateway ask of the adapter. Every answer of the provider is 200 with an outcome; only faults are 5xx.
import { z } from 'zod';
import type { Sidecar } from '#kit/dapr/sidecar';
import { Fault, refuse } from '#kit/errors';
import { type Api, internal, ok, type Spec } from '#kit/http/api';
import type { Adapter } from './adapter.ts';
import { providerEventMessage } from './provider-event-message.ts';
import { traced } from './stripe-client.ts';
import { readWebhook, SIGNATURE_TOLERANCE_SECONDS } from './webhooks.ts';

export type Dependencies = {
  appId: string;
  /** @throws Fault while the secrets are not there yet. */
  adapter: () => Adapter;
  /** Publishes to the broker. */
  sidecar: Pick<Sidecar, 'publish'>;
  /** Milliseconds since 1970. */
  now: () => number;
};

/** Ids become idempotency keys (255 characters) and a provider's metadata. */
const Id = z.string().min(1).max(200);
const MinorUnits = z.int().min(1);
const Currency = z.string().regex(/^[A-Z]{3}$/);
const Outcome = z.looseObject({ outcome: z.string() });

const Capture = z.strictObject({
  paymentId: Id,
  orderId: Id,
  amount: MinorUnits,
  currency: Currency,
  token: z.string().min(1).max(255),
});
const Refund = z.strictObject({
  paymentId: Id,
  providerRef: Id,
  refundId: Id,
  amount: MinorUnits,
  currency: Currency,
});
const Lookup = z.strictObject({ paymentId: Id, providerRef: Id.optional() });

const answers = { 200: Outcome };

/** The internal routes: capture, refund, lookup, and the provider's webhooks. */
export function routes({ appId, adapter, sidecar, now }: Dependencies): Api<Spec> {
  const told = new Told();
  return internal('')
    .post('/capture', { summary: 'Take the money of a payment', takes: Capture, answers }, async ({ body, origin }) =>
      ok(told.remember(body, await traced(origin.traceparent, () => adapter().provider.capture(body)))),
    )
    .post('/refund', { summary: 'Give money back', takes: Refund, answers }, async ({ body, origin }) =>
      ok(told.remember(body, await traced(origin.traceparent, () => adapter().provider.refund(body)))),
    )
    .post('/lookup', { summary: 'What the provider knows', takes: Lookup, answers }, async ({ body, origin }) =>
      ok(await traced(origin.traceparent, () => adapter().provider.lookup(body))),
    )
    .post(
      '/webhooks',
      {
        summary: "The provider's webhooks",
        raw: true,
        answers: { 200: z.strictObject({ received: z.boolean() }) },
      },
      async ({ raw, header, origin, log }) => {
        const webhook = readWebhook(raw, header('stripe-signature'), {
          secrets: adapter().webhookSecrets,
          toleranceSeconds: SIGNATURE_TOLERANCE_SECONDS,
          now: now(),
        });
        if (webhook.verdict === 'refused') {
          return refuse(webhook.reason === 'SIGNATURE_INVALID' ? 'SIGNATURE_INVALID' : 'MALFORMED_REQUEST');
        }
        if (webhook.verdict === 'ignored') {
          log.info({ type: webhook.type }, 'a webhook that does not concern us');
          return ok({ received: true });
        }
        const { event } = webhook;
        if (told.includes(event.kind, event.paymentId)) return ok({ received: true });
        const message = providerEventMessage(event, appId, origin.correlationId, origin.traceparent);
        const failed = await sidecar.publish('pubsub-saga', 'provider-events', [
          { event: message, partitionKey: event.paymentId },
        ]);
        // Not acknowledged: the provider sends it again.
        if (failed.length > 0) throw new Fault('the broker did not take a provider event');
        return ok({ received: true });
      },
    );
}

/** Outcomes remembered; the provider's webhooks follow within seconds. */
const MOST_TOLD = 5_000;

/**
 * What this process has answered to payment: a webhook that says the same again is acknowledged and goes no further. If
 * the answer was lost on its way, payment asks again with the same key, within seconds.
 */
class Told {
  readonly #known = new Set<string>();

  remember<T extends { readonly outcome: string }>({ paymentId }: { readonly paymentId: string }, answer: T): T {
    // The outcomes that a webhook repeats by the same word.
    if (answer.outcome !== 'captured' && answer.outcome !== 'refunded') return answer;
    if (this.#known.size >= MOST_TOLD) this.#known.delete(this.#known.values().next().value as string);
    this.#known.add(`${answer.outcome} ${paymentId}`);
    return answer;
  }

  includes(kind: string, paymentId: string): boolean {
    return this.#known.has(`${kind} ${paymentId}`);
  }
}
