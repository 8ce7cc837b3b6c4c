// Cancels an order that nobody has decided by its deadline.
import type { Streams } from '#kit/events/streams';
import { expire, orderOf } from './order.ts';

/** Nothing happens to an order that was decided meanwhile. @throws {Fault} the store is out of reach. */
export async function expireOrder(streams: Streams, orderId: string): Promise<void> {
  const ref = orderOf(orderId);
  await streams.execute({
    touch: [ref],
    origin: { actor: `app:${streams.source}`, correlationId: orderId, causationId: 'deadline', traceparent: '' },
    decide: (desk) => desk.apply(ref, expire, { now: desk.now }),
  });
}
