// Writes a decision on a payment together with its ledger entries.
import { isRefusal } from '#kit/errors';
import type { Decision, StreamRef } from '#kit/events/aggregate';
import type { Desk } from '#kit/events/desk';
import { entriesOf, withLedger } from './ledger.ts';
import { knownOf, type Payment, type PaymentEvent, type Status } from './payment.ts';
import { preparedKey } from './prepared.ts';

const CONCLUDED: ReadonlySet<Status> = new Set(['captured', 'refunding', 'failed', 'voided']);

/** Decides, and books what the events move, in the same transaction. No decision on a payment is ever refused. */
export function settle<C>(
  desk: Desk,
  ref: StreamRef<Payment, PaymentEvent>,
  decide: (payment: Payment, command: C) => Decision<PaymentEvent>,
  command: C,
): void {
  const events = decide(desk.state(ref), command);
  if (isRefusal(events)) throw new Error(`${ref.key} refused: ${events.refused}`);
  if (events.length === 0) return;
  desk.append(ref, ...withLedger(events as readonly PaymentEvent[]));
  const { status, due } = knownOf(desk.state(ref));
  // The outcome is known: the card is not needed any more.
  if (due.method === 'card' && CONCLUDED.has(status)) desk.remove(preparedKey(due.orderId));
  for (const { key, entry } of entriesOf(events as readonly PaymentEvent[], desk.now)) desk.put(key, entry);
}
