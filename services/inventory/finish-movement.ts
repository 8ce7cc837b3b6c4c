// Goes on with a receipt or adjustment whose process died on the way: what the sweep does.
import type { Streams } from '#kit/events/streams';
import { finishAdjustment } from './adjust-stock.ts';
import { adjustmentOf } from './adjustment.ts';
import { receiptOf } from './receipt.ts';
import { finishReceipt } from './receive-goods.ts';
import type { OpenMovement } from './views.ts';

/** Books what is left of it; nothing if it was finished meanwhile. @throws {Fault} the store is out of reach. */
export async function finishMovement(streams: Streams, { kind, shop_id, reference }: OpenMovement): Promise<void> {
  const origin = { actor: `app:${streams.source}`, correlationId: 'sweep', causationId: 'sweep', traceparent: '' };
  if (kind === 'receipt') return finishReceipt(streams, receiptOf(shop_id, reference), origin);
  const adjustment = await streams.read(adjustmentOf(shop_id, reference));
  if (adjustment?.state.status === 'opened') await finishAdjustment(streams, adjustment.state, reference, origin);
}
