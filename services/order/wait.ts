// Waits for an order to be final: a signal when the deciding event is handled here, reads when it is handled elsewhere.
import type { StreamDocument } from '#kit/events/document';
import type { Streams } from '#kit/events/streams';
import { isFinal, type Order, orderOf } from './order.ts';

/** Milliseconds between reads while other replicas decide orders, too. */
const PAUSES = [100, 250];
const LAST_PAUSE = 500;
/** The same while every order that was waited for was decided here: then a read finds nothing that was not heard. */
const LONELY_PAUSE = 1_000;
/** Milliseconds for which a decision of another replica is taken as a sign of more. */
const COMPANY = 60_000;

export type UntilFinal = (
  orderId: string,
  seconds: number,
  signal: AbortSignal,
  known?: StreamDocument<Order>,
) => Promise<StreamDocument<Order> | undefined>;

/** Answers the newest document when it is final, the time is over or the client has gone. */
export function untilFinal(streams: Streams): UntilFinal {
  let decidedElsewhere = Number.NEGATIVE_INFINITY;
  const pauseOf = (round: number) =>
    performance.now() - decidedElsewhere > COMPANY ? LONELY_PAUSE : (PAUSES[round] ?? LAST_PAUSE);

  return async (orderId, seconds, signal, known) => {
    const ref = orderOf(orderId);
    const end = performance.now() + seconds * 1_000;
    const lately = known ?? streams.lately(ref);
    // What is final may still be cancelled, also elsewhere: that answer is read.
    let document = !known && lately && isFinal(lately.state) ? await streams.read(ref) : lately;
    for (let round = 0; ; round += 1) {
      if (document && isFinal(document.state)) return document;
      const left = end - performance.now();
      if (left <= 0 || signal.aborted) return document;
      const heard = await streams.changed(ref, Math.min(left, pauseOf(round)), signal);
      document = heard ?? (await streams.read(ref));
      if (!heard && document && isFinal(document.state)) decidedElsewhere = performance.now();
    }
  };
}
