// Reading the book: Stripe's search language as far as it is needed, and the summary that a test checks.
import type { Book } from './book.ts';
import { invalid } from './errors.ts';
import { type Intent, lastCharge } from './objects.ts';

const TERM = /^(?:status|metadata\[(?:"([^"]+)"|'([^']+)')\]):(?:"([^"]*)"|'([^']*)')$/;

/**
 * Intents that match `metadata['name']:'value'` and `status:'value'`, joined by `AND`.
 * Stripe's own index lags by up to a minute; this one never does. @throws Refusal for any other query
 */
export function searchIntents(book: Book, query: string | null): Intent[] {
  if (query === null) throw invalid('Missing required param: query.', 'query', 'parameter_missing');
  const tests = query.split(/\s+AND\s+/).map((term) => {
    const match = TERM.exec(term.trim());
    if (match === null) throw invalid('We were unable to parse your search query.', 'query');
    const name = match[1] ?? match[2];
    const value = match[3] ?? match[4] ?? '';
    return (intent: Intent) => (name === undefined ? intent.status : intent.metadata[name]) === value;
  });
  return [...book.intents.values()].filter((intent) => tests.every((test) => test(intent)));
}

/**
 * The book as a checker of "at most one capture per order" wants it: each intent with its metadata, what was captured and
 * what was given back, in minor units; times in seconds since 1970. `where` keeps the intents with that metadata.
 */
export function summary(book: Book, where: { name: string; value: string } | null) {
  const kept = [...book.intents.values()].filter((i) => where === null || i.metadata[where.name] === where.value);
  const refunds = Map.groupBy(book.refunds.values(), (refund) => refund.intent);
  return {
    intents: kept.map((intent) => ({
      id: intent.id,
      paymentId: intent.metadata.payment_id ?? null,
      orderId: intent.metadata.order_id ?? null,
      status: intent.status,
      amount: intent.amount,
      currency: intent.currency,
      metadata: intent.metadata,
      created: intent.created,
      captures: intent.charges
        .filter((charge) => charge.capturedAt !== null)
        .map((charge) => ({ id: charge.id, amount: charge.amountCaptured, at: charge.capturedAt })),
      declines: intent.charges.flatMap((charge) => (charge.decline ? [charge.decline.code] : [])),
      refunded: lastCharge(intent)?.amountRefunded ?? 0,
      refunds: (refunds.get(intent.id) ?? []).map(({ id, amount, created, metadata }) => ({
        id,
        amount,
        at: created,
        metadata,
      })),
    })),
    webhooks: { delivered: book.delivered(), pending: book.undelivered.size },
  };
}
