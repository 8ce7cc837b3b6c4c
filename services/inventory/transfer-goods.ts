// Sends goods to another shop and receives them there. Whoever finds a transfer half-way goes on from there: the same
// request again, or the work sweep.
import { isRefusal, type Refusal, refuse } from '#kit/errors';
import type { Origin } from '#kit/events/aggregate';
import type { CommandIdentity } from '#kit/events/desk';
import type { Streams } from '#kit/events/streams';
import { hashOf, idOf } from '#kit/ids';
import { arrive, dispatch, type Item } from './item.ts';
import type { Booked } from './movement.ts';
import type { ChangedLine, Line } from './reservation.ts';
import { bookSheet, goOnWith, type Sheet } from './sheet.ts';
import {
  type Arrival,
  type ArrivalEvent,
  type ArrivalLine,
  arrivalOf,
  receivedLines,
  type Transfer,
  type TransferEvent,
  transferIdOf,
  transferOf,
} from './transfer.ts';

export interface TransferWish {
  readonly shopId: string;
  readonly toShopId: string;
  readonly reference: string;
  readonly reason?: string | undefined;
  /** False: the goods stay in transit until the destination tells what arrived. */
  readonly receive: boolean;
  readonly lines: readonly Line[];
}

/** What the destination says of a sku: `received` units, `damaged` of them not to be sold. */
export interface Arrived {
  readonly sku: string;
  readonly received: number;
  readonly damaged: number;
}

/** Sends the goods, and receives them if asked to. Refuses as {@link bookSheet}. @throws {Fault} repeat it. */
export async function transferGoods(
  streams: Streams,
  wish: TransferWish,
  command: CommandIdentity,
  origin: Origin,
): Promise<Booked | Refusal> {
  const sent = await bookSheet(streams, dispatchOf(wish), command, origin);
  if (!isRefusal(sent) && wish.receive) await receiveAsSent(streams, sent.id, origin);
  return sent;
}

/**
 * Books what arrived, once; without lines all of it as sent. Refuses with NOT_FOUND, VALIDATION_FAILED when a sku that was
 * sent is not named, TRANSFER_RECEIVED when other lines were booked, IDEMPOTENCY_KEY_REUSED. @throws {Fault} repeat it.
 */
export async function receiveTransfer(
  streams: Streams,
  transferId: string,
  lines: readonly Arrived[] | undefined,
  command: CommandIdentity,
  origin: Origin,
): Promise<Booked | Refusal> {
  const transfer = (await streams.read(transferOf(transferId)))?.state;
  if (!transfer?.dispatchedAt) return refuse('NOT_FOUND');
  const compared = comparedWith(transfer.lines, lines);
  if (isRefusal(compared)) return compared;
  const booked = await bookSheet(streams, arrivalSheet(transfer, compared), command, origin);
  return isRefusal(booked) && booked.refused === 'REFERENCE_BOOKED' ? refuse('TRANSFER_RECEIVED') : booked;
}

/** Goes on with a transfer that was opened and not dispatched, or is to be received as sent. */
export async function finishTransfer(streams: Streams, transferId: string, origin: Origin): Promise<void> {
  const transfer = (await streams.read(transferOf(transferId)))?.state;
  if (transfer?.status === 'opened') {
    const command = { id: idOf('sweep', 'transfer', transferId), hash: transfer.hash };
    if (await goOnWith(streams, dispatchOf(transfer), command, origin)) return;
  }
  if (transfer?.receive && transfer.status !== 'received') await receiveAsSent(streams, transferId, origin);
}

/** Goes on with an arrival that was opened and not booked. */
export async function finishArrival(streams: Streams, transferId: string, origin: Origin): Promise<void> {
  const [arrival, transfer] = await Promise.all([
    streams.read(arrivalOf(transferId)),
    streams.read(transferOf(transferId)),
  ]);
  if (arrival?.state.status !== 'opened' || !transfer) return;
  const { hash, lines } = arrival.state;
  const command = { id: idOf('sweep', 'arrival', transferId), hash };
  await goOnWith(streams, arrivalSheet(transfer.state, lines), command, origin);
}

/** Nothing to do if somebody told meanwhile what really arrived. */
async function receiveAsSent(streams: Streams, transferId: string, origin: Origin): Promise<void> {
  const command = { id: idOf('as sent', transferId), hash: arrivalHash(transferId, undefined) };
  await receiveTransfer(streams, transferId, undefined, command, origin);
}

/** The same however it comes to be received as sent. */
export function arrivalHash(transferId: string, lines: readonly Arrived[] | undefined): string {
  return hashOf({ transferId, lines });
}

function dispatchOf(wish: TransferWish): Sheet<Transfer, TransferEvent> {
  const { shopId, toShopId, reference, reason = '', receive, lines } = wish;
  const transferId = transferIdOf(shopId, reference);
  const cause = transferOf(transferId);
  const head = { transferId, shopId, toShopId, reference };
  return {
    ...{ cause, step: 'dispatch', id: transferId, shopId, lines, change: dispatch, undo: takeBack },
    opened: (hash) => ({ type: 'transfer.opened', data: { ...head, hash, reason, receive, lines } }),
    booked(desk, hash, changed) {
      desk.append(cause, { type: 'stock.dispatched', data: { ...head, hash, reason, receive, lines: changed } });
    },
    refused: (shortages) => ({ type: 'transfer.refused', data: { ...head, shortages } }),
  };
}

function takeBack(item: Item, { quantity, cause }: { quantity: number; cause: string }) {
  return dispatch(item, { quantity: -quantity, cause });
}

type Damage = Pick<ArrivalLine, 'damaged'>;

function arrivalSheet(
  { transferId, shopId: fromShopId, toShopId, reference }: Transfer,
  lines: readonly ArrivalLine[],
): Sheet<Arrival, ArrivalEvent, ArrivalLine, Damage> {
  const cause = arrivalOf(transferId);
  const transfer = transferOf(transferId);
  const head = { transferId, shopId: toShopId, fromShopId, reference };
  return {
    ...{ cause, step: 'arrive', id: transferId, shopId: toShopId, lines, change: arrive, beside: [transfer] },
    tell: ({ damaged }) => ({ damaged }),
    opened: (hash) => ({ type: 'arrival.opened', data: { ...head, hash, lines } }),
    booked(desk, hash, changed) {
      const arrived = changed.filter(({ quantity }) => quantity > 0).map(({ damaged: _, ...line }) => line);
      const damaged = changed.filter((line) => line.damaged > 0).map(damagedLine);
      desk.append(cause, { type: 'stock.arrived', data: { ...head, hash, lines: arrived } });
      if (damaged.length > 0) {
        const data = { writeOffId: transferId, shopId: toShopId, reference, hash, note: 'Damaged in transit' };
        desk.append(cause, { type: 'stock.written-off', data: { ...data, lines: damaged } });
      }
      const told = { transferId, shopId: fromShopId, toShopId, reference, lines: receivedLines(lines) };
      desk.append(transfer, { type: 'transfer.received', data: told });
    },
  };
}

function damagedLine({ damaged, ...line }: ChangedLine & Damage) {
  return { ...line, quantity: damaged, reason: 'damaged' as const };
}

/** Each line beside what was sent of it. Every sku that was sent has to be named; others are a surplus. */
function comparedWith(sent: readonly Line[], lines: readonly Arrived[] | undefined): ArrivalLine[] | Refusal {
  if (!lines) return sent.map(({ sku, quantity }) => ({ sku, quantity, sent: quantity, damaged: 0 }));
  const named = new Set(lines.map(({ sku }) => sku));
  const missing = sent.filter(({ sku }) => !named.has(sku));
  if (missing.length > 0) {
    const errors = missing.map(({ sku }) => ({ pointer: '/lines', detail: `${sku} was sent and is not named` }));
    return refuse('VALIDATION_FAILED', { errors: errors.slice(0, 50) });
  }
  const units = new Map(sent.map(({ sku, quantity }) => [sku, quantity]));
  return lines.map(({ sku, received, damaged }) => {
    return { sku, quantity: received, sent: units.get(sku) ?? 0, damaged };
  });
}
