// Corrects the record of up to 1,000 skus, all or none: in one transaction when it fits, in chunks when it does not.
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import type { Origin } from '#kit/events/aggregate';
import type { CommandIdentity } from '#kit/events/desk';
import type { Streams } from '#kit/events/streams';
import type { Touch } from '#kit/events/working-set';
import { idOf } from '#kit/ids';
import { type Adjustment, adjustmentOf } from './adjustment.ts';
import { CHUNK, changeChunk, touchChunk } from './chunks.ts';
import { commandOf, isReused, remember } from './command.ts';
import { adjust } from './item.ts';
import type { Booked, Movement } from './movement.ts';
import type { Line } from './reservation.ts';

/**
 * Books the adjustment. Refuses with STOCK_INSUFFICIENT `{shortages}` when a line would take more than is available,
 * REFERENCE_BOOKED or IDEMPOTENCY_KEY_REUSED. A refused reference may be used again. @throws {Fault} repeat it.
 */
export async function adjustStock(
  streams: Streams,
  adjustment: Movement,
  command: CommandIdentity,
  origin: Origin,
): Promise<Booked | Refusal> {
  const { shopId, reference, reason = '' } = adjustment;
  const lines = takingFirst(adjustment.lines);
  const cause = adjustmentOf(shopId, reference);
  const key = commandOf(command.id);
  const adjustmentId = idOf('adjustment', shopId, reference);
  const head = { adjustmentId, shopId, reference };
  let replayed = false;
  const accepted = await streams.execute({
    touch: [cause, key],
    origin,
    decide(desk): Refusal | undefined {
      if (isReused(desk, command)) return refuse('IDEMPOTENCY_KEY_REUSED');
      const known = desk.state(cause);
      replayed = known.status === 'booked';
      if (known.status === 'opened' || known.status === 'booked') {
        return known.hash === command.hash ? undefined : refuse('REFERENCE_BOOKED');
      }
      if (lines.length <= CHUNK) return undefined; // one transaction will do: nothing is opened
      desk.append(cause, { type: 'adjustment.opened', data: { ...head, hash: command.hash, reason, lines } });
      remember(desk, command);
      return undefined;
    },
  });
  if (isRefusal(accepted)) return accepted;
  if (replayed) return { id: adjustmentId, replayed };
  const refusal = await book(streams, { ...adjustment, lines }, command, origin);
  return refusal ?? { id: adjustmentId, replayed };
}

/** Goes on with an adjustment that was opened and not booked. */
export async function finishAdjustment(streams: Streams, state: Adjustment, reference: string, origin: Origin) {
  const { shopId, lines, reason, hash } = state;
  await book(streams, { shopId, reference, lines, reason }, { id: idOf('sweep', shopId, reference), hash }, origin);
}

async function book(
  streams: Streams,
  { shopId, reference, lines, reason = '' }: Movement,
  command: CommandIdentity,
  origin: Origin,
): Promise<Refusal | undefined> {
  const cause = adjustmentOf(shopId, reference);
  const key = commandOf(command.id);
  const head = { adjustmentId: idOf('adjustment', shopId, reference), shopId, reference };
  const touch: Touch = (peek) => [key, ...touchChunk(cause, shopId, lines)(peek)];
  return streams.execute({
    touch,
    origin,
    decide(desk): Refusal | undefined {
      const known = desk.state(cause);
      if (known.status === 'booked') return known.hash === command.hash ? undefined : refuse('REFERENCE_BOOKED');
      const outcome = changeChunk(desk, { cause, step: 'adjust', shopId, lines, change: adjust, undo: takeBack });
      if (outcome.state === 'under way') return undefined;
      if (outcome.state === 'refused') {
        if (known.status === 'opened') {
          desk.append(cause, { type: 'adjustment.refused', data: { ...head, shortages: outcome.shortages } });
        }
        return refuse('STOCK_INSUFFICIENT', { shortages: outcome.shortages });
      }
      const data = { ...head, hash: command.hash, reason, lines: outcome.changed };
      desk.append(cause, { type: 'stock.adjusted', data });
      remember(desk, command);
      return undefined;
    },
  });
}

/**
 * Lines that take come before lines that add: only taking can be refused, so that a walk back only ever gives back,
 * which nothing can prevent.
 */
function takingFirst(lines: readonly Line[]): Line[] {
  return [...lines].sort((a, b) => Math.sign(a.quantity) - Math.sign(b.quantity));
}

function takeBack(item: Parameters<typeof adjust>[0], { quantity, cause }: { quantity: number; cause: string }) {
  return adjust(item, { quantity: -quantity, cause });
}
