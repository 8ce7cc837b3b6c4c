// Writes a decision on a payment together with its ledger entries.
import { isRefusal } from '#kit/errors';
import type { Decision, StreamRef } from '#kit/events/aggregate';
import type { Desk } from '#kit/events/desk';
import { entriesOf } from './ledger.ts';
import type { Payment, PaymentEvent } from './payment.ts';

/** Decides, and books what the events move, in the same transaction. No decision on a payment is ever refused. */
export function settle<C>(
  desk: Desk,
  ref: StreamRef<Payment, PaymentEvent>,
  decide: (payment: Payment, command: C) => Decision<PaymentEvent>,
  command: C,
): void {
  const events = decide(desk.state(ref), command);
  if (isRefusal(events)) throw new Error(`${ref.key} refused: ${events.refused}`);
  desk.append(ref, ...(events as readonly PaymentEvent[]));
  for (const { key, entry } of entriesOf(events as readonly PaymentEvent[], desk.now)) desk.put(key, entry);
}
