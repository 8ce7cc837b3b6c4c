// Waits for an order to be final: a signal when the deciding event is handled here, reads when it is handled elsewhere.
import type { StreamDocument } from '#kit/events/document';
import type { Streams } from '#kit/events/streams';
import { isFinal, type Order, orderOf } from './order.ts';

/** Milliseconds between reads, for what another replica decides; what is decided here is heard at once. */
const PAUSES = [100, 250];
const LAST_PAUSE = 500;

/** The newest document when it is final, the time is over or the client has gone. */
export async function untilFinal(
  streams: Streams,
  orderId: string,
  seconds: number,
  signal: AbortSignal,
  known?: StreamDocument<Order>,
): Promise<{ document: StreamDocument<Order> | undefined; final: boolean }> {
  const ref = orderOf(orderId);
  const end = performance.now() + seconds * 1_000;
  let document = known;
  for (let round = 0; ; round += 1) {
    if (document && isFinal(document.state)) return { document, final: true };
    const left = end - performance.now();
    if (left <= 0 || signal.aborted) return { document, final: false };
    const heard = await streams.changed(ref, Math.min(left, PAUSES[round] ?? LAST_PAUSE), signal);
    document = heard ?? (await streams.read(ref));
  }
}
