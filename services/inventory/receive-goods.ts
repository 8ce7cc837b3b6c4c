// Books a delivery of up to 20,000 lines: opened with its lines in one transaction, then part by part, chunk by chunk.
// Whoever finds it half-way goes on from there: the same request again, or the work sweep.
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import type { Origin, StreamRef } from '#kit/events/aggregate';
import type { CommandIdentity } from '#kit/events/desk';
import type { Streams } from '#kit/events/streams';
import { idOf } from '#kit/ids';
import { changeChunk, touchChunk } from './chunks.ts';
import { commandOf, isReused, remember } from './command.ts';
import { receive } from './item.ts';
import type { Booked, Movement } from './movement.ts';
import {
  type Cost,
  partLinesKey,
  partsOf,
  type Receipt,
  type ReceiptEvent,
  receiptOf,
  receiptPartOf,
} from './receipt.ts';
import type { Line } from './reservation.ts';

/**
 * Books the delivery and answers when every line is readable.
 * Refuses with REFERENCE_BOOKED or IDEMPOTENCY_KEY_REUSED. @throws {Fault} repeat it: it goes on where it stopped.
 */
export async function receiveGoods(
  streams: Streams,
  delivery: Movement,
  command: CommandIdentity,
  origin: Origin,
): Promise<Booked | Refusal> {
  const opened = await open(streams, delivery, command, origin);
  if (isRefusal(opened)) return opened;
  await finishReceipt(streams, receiptOf(delivery.shopId, delivery.reference), origin);
  return opened;
}

async function open(
  streams: Streams,
  { shopId, reference, reason = '', currency, lines }: Movement,
  command: CommandIdentity,
  origin: Origin,
): Promise<Booked | Refusal> {
  const receipt = receiptOf(shopId, reference);
  const receiptId = idOf('receipt', shopId, reference);
  return streams.execute({
    touch: [receipt, commandOf(command.id)],
    origin,
    decide(desk) {
      if (isReused(desk, command)) return refuse('IDEMPOTENCY_KEY_REUSED');
      const known = desk.state(receipt);
      if (known.status !== 'none') {
        return known.hash === command.hash ? { id: receiptId, replayed: true } : refuse('REFERENCE_BOOKED');
      }
      const parts = partsOf(lines);
      const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
      const cost = currency === undefined ? {} : { currency };
      const totals = { receiptId, shopId, reference, hash: command.hash, lines: lines.length, units, ...cost };
      desk.append(receipt, { type: 'receipt.opened', data: { ...totals, parts: parts.length, reason } });
      remember(desk, command);
      for (const [part, partLines] of parts.entries()) desk.put(partLinesKey(receipt, part), partLines);
      return { id: receiptId, replayed: false };
    },
  });
}

/** Books what is left of an opened receipt. Safe to run twice at once: every chunk is guarded. */
export async function finishReceipt(
  streams: Streams,
  receipt: StreamRef<Receipt, ReceiptEvent>,
  origin: Origin,
): Promise<void> {
  const document = await streams.read(receipt);
  if (!document || document.state.status !== 'opened') return;
  const { parts, receiptId, shopId, reference, lines, units } = document.state;
  for (let part = 0; part < parts; part += 1) await bookPart(streams, receipt, document.state, part, origin);
  await streams.execute({
    touch: [receipt],
    origin,
    decide(desk) {
      if (desk.state(receipt).status !== 'opened') return;
      desk.append(receipt, { type: 'receipt.booked', data: { receiptId, shopId, reference, lines, units } });
    },
  });
}

async function bookPart(
  streams: Streams,
  receipt: StreamRef<Receipt, ReceiptEvent>,
  { receiptId, shopId, reference, currency }: Receipt,
  part: number,
  origin: Origin,
): Promise<void> {
  const cause = receiptPartOf(receipt, part);
  if ((await streams.read(cause))?.state.done) return;
  const stored = await streams.sidecar.get<(Line & Cost)[]>(streams.store, partLinesKey(receipt, part));
  if (!stored) throw new Error(`${receipt.key} has lost the lines of part ${part}`);
  const lines = stored.value;
  await streams.execute({
    touch: touchChunk(cause, shopId, lines),
    origin,
    decide(desk) {
      if (desk.state(cause).done) return;
      const outcome = changeChunk(desk, { cause, step: 'receive', shopId, lines, change: receive, tell: costOf });
      if (outcome.state !== 'done') return;
      const cost = currency === undefined ? {} : { currency };
      const data = { receiptId, shopId, reference, part, ...cost, lines: outcome.changed };
      desk.append(cause, { type: 'stock.received', data });
    },
  });
}

function costOf({ unitCost }: Line & Cost): Cost {
  return unitCost === undefined ? {} : { unitCost };
}
