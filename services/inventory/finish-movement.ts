// Goes on with a receipt, a sheet or a transfer whose process died on the way: what the sweep does.
import type { Streams } from '#kit/events/streams';
import { finishAdjustment } from './adjust-stock.ts';
import { adjustmentOf } from './adjustment.ts';
import { finishCount } from './post-count.ts';
import { receiptOf } from './receipt.ts';
import { finishReceipt } from './receive-goods.ts';
import { finishArrival, finishTransfer } from './transfer-goods.ts';
import type { OpenMovement } from './views.ts';
import { finishWriteOff } from './write-off-goods.ts';

/** Books what is left of it; nothing if it was finished meanwhile. @throws {Fault} the store is out of reach. */
export async function finishMovement(streams: Streams, { id, kind, shop_id, reference }: OpenMovement): Promise<void> {
  const origin = { actor: `app:${streams.source}`, correlationId: 'sweep', causationId: 'sweep', traceparent: '' };
  const ofStream = id.slice(id.indexOf(':') + 1);
  switch (kind) {
    case 'receipt':
      return finishReceipt(streams, receiptOf(shop_id, reference), origin);
    case 'write-off':
      return finishWriteOff(streams, shop_id, reference, origin);
    case 'count':
      return finishCount(streams, shop_id, reference, origin);
    case 'transfer':
      return finishTransfer(streams, ofStream, origin);
    case 'arrival':
      return finishArrival(streams, ofStream, origin);
    case 'adjustment': {
      const adjustment = await streams.read(adjustmentOf(shop_id, reference));
      if (adjustment?.state.status === 'opened') await finishAdjustment(streams, adjustment.state, reference, origin);
    }
  }
}
