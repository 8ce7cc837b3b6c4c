// Corrects the record of up to 1,000 skus, all or none.
import type { Refusal } from '#kit/errors';
import type { Origin } from '#kit/events/aggregate';
import type { CommandIdentity } from '#kit/events/desk';
import type { Streams } from '#kit/events/streams';
import { idOf } from '#kit/ids';
import { type Adjustment, type AdjustmentEvent, adjustmentOf } from './adjustment.ts';
import { adjust, type Item } from './item.ts';
import type { Booked, Movement } from './movement.ts';
import type { Line } from './reservation.ts';
import { bookSheet, goOnWith, type Sheet } from './sheet.ts';

/** Books the adjustment. Refuses as {@link bookSheet}. @throws {Fault} repeat it. */
export function adjustStock(
  streams: Streams,
  adjustment: Movement,
  command: CommandIdentity,
  origin: Origin,
): Promise<Booked | Refusal> {
  return bookSheet(streams, sheetOf({ ...adjustment, lines: takingFirst(adjustment.lines) }), command, origin);
}

/** Goes on with an adjustment that was opened and not booked. */
export async function finishAdjustment(streams: Streams, state: Adjustment, reference: string, origin: Origin) {
  const { shopId, lines, reason, hash } = state;
  const command = { id: idOf('sweep', shopId, reference), hash };
  await goOnWith(streams, sheetOf({ shopId, reference, lines, reason }), command, origin);
}

function sheetOf({ shopId, reference, lines, reason = '' }: Movement): Sheet<Adjustment, AdjustmentEvent> {
  const cause = adjustmentOf(shopId, reference);
  const adjustmentId = idOf('adjustment', shopId, reference);
  const head = { adjustmentId, shopId, reference };
  return {
    ...{ cause, step: 'adjust', id: adjustmentId, shopId, lines, change: adjust, undo: takeBack },
    opened: (hash) => ({ type: 'adjustment.opened', data: { ...head, hash, reason, lines } }),
    booked(desk, hash, changed) {
      desk.append(cause, { type: 'stock.adjusted', data: { ...head, hash, reason, lines: changed } });
    },
    refused: (shortages) => ({ type: 'adjustment.refused', data: { ...head, shortages } }),
  };
}

/**
 * Lines that take come before lines that add: only taking can be refused, so that a walk back only ever gives back,
 * which nothing can prevent.
 */
function takingFirst(lines: readonly Line[]): Line[] {
  return [...lines].sort((a, b) => Math.sign(a.quantity) - Math.sign(b.quantity));
}

function takeBack(item: Item, { quantity, cause }: { quantity: number; cause: string }) {
  return adjust(item, { quantity: -quantity, cause });
}
