// Goods that cannot be sold any more, each line with its reason, all lines or none. What is promised to orders cannot be
// written off: cancel the order first.
import type { Refusal } from '#kit/errors';
import { type EventOf, type Origin, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import type { CommandIdentity } from '#kit/events/desk';
import type { Streams } from '#kit/events/streams';
import { idOf, keyPart } from '#kit/ids';
import { type Item, writeOff } from './item.ts';
import type { StockLow } from './low-stock.ts';
import type { Booked } from './movement.ts';
import type { ChangedLine, Line, Shortage } from './reservation.ts';
import { bookSheet, goOnWith, type Sheet } from './sheet.ts';

export const writeOffReasons = ['damaged', 'expired', 'stolen', 'own_use', 'other'] as const;
export type WriteOffReason = (typeof writeOffReasons)[number];

export interface WriteOffLine extends Line {
  readonly reason: WriteOffReason;
}

interface Head {
  readonly writeOffId: string;
  readonly shopId: string;
  readonly reference: string;
  readonly note: string;
}
/** A line of goods that are gone, as it is published. */
export type GoneLine = ChangedLine & { readonly reason: WriteOffReason };

export type WriteOffEvent =
  | EventOf<'write-off.opened', Head & { readonly hash: string; readonly lines: readonly WriteOffLine[] }>
  | EventOf<'stock.written-off', Head & { readonly hash: string; readonly lines: readonly GoneLine[] }>
  | EventOf<'write-off.refused', Head & { readonly shortages: readonly Shortage[] }>
  | StockLow;

export interface WriteOffState {
  readonly status: 'none' | 'opened' | 'booked' | 'refused';
  readonly shopId: string;
  readonly hash: string;
  readonly note: string;
  readonly lines: readonly WriteOffLine[];
}

export const writeOffs: StreamKind<WriteOffState, WriteOffEvent> = {
  name: 'write-off',
  initial: { status: 'none', shopId: '', hash: '', note: '', lines: [] },
  evolve(state, { type, data }) {
    const { shopId } = data;
    switch (type) {
      case 'write-off.opened':
        return { status: 'opened', shopId, hash: data.hash, note: data.note, lines: data.lines };
      case 'stock.written-off':
        return { ...state, status: 'booked', shopId, hash: data.hash, note: data.note };
      case 'write-off.refused':
        return { ...state, status: 'refused' };
      case 'stock.low':
        return state;
    }
  },
  retention: 'inline',
  topic: 'inventory',
  partitionKey: (_, { shopId }) => shopId,
};

export function writeOffOf(shopId: string, reference: string): StreamRef<WriteOffState, WriteOffEvent> {
  return streamOf(writeOffs, `${keyPart(shopId)}:${keyPart(reference)}`);
}

export interface WriteOff {
  readonly shopId: string;
  readonly reference: string;
  readonly note?: string | undefined;
  /** Each sku once. */
  readonly lines: readonly WriteOffLine[];
}

/** Books the write-off. Refuses as {@link bookSheet}. @throws {Fault} repeat it. */
export function writeOffGoods(
  streams: Streams,
  wish: WriteOff,
  command: CommandIdentity,
  origin: Origin,
): Promise<Booked | Refusal> {
  return bookSheet(streams, sheetOf(wish), command, origin);
}

/** Goes on with a write-off that was opened and not booked. */
export async function finishWriteOff(streams: Streams, shopId: string, reference: string, origin: Origin) {
  const state = (await streams.read(writeOffOf(shopId, reference)))?.state;
  if (state?.status !== 'opened') return;
  const command = { id: idOf('sweep', 'write-off', shopId, reference), hash: state.hash };
  await goOnWith(streams, sheetOf({ ...state, reference }), command, origin);
}

type Reasoned = { readonly reason: WriteOffReason };

function sheetOf(wish: WriteOff): Sheet<WriteOffState, WriteOffEvent, WriteOffLine, Reasoned> {
  const { shopId, reference, note = '', lines } = wish;
  const cause = writeOffOf(shopId, reference);
  const id = idOf('write-off', shopId, reference);
  const head = { writeOffId: id, shopId, reference, note };
  return {
    ...{ cause, step: 'write off', id, shopId, lines, change: writeOff, undo: takeBack },
    tell: ({ reason }) => ({ reason }),
    opened: (hash) => ({ type: 'write-off.opened', data: { ...head, hash, lines } }),
    booked: (desk, hash, gone) =>
      desk.append(cause, { type: 'stock.written-off', data: { ...head, hash, lines: gone } }),
    refused: (shortages) => ({ type: 'write-off.refused', data: { ...head, shortages } }),
  };
}

function takeBack(item: Item, { quantity, ...line }: WriteOffLine & { readonly cause: string }) {
  return writeOff(item, { ...line, quantity: -quantity });
}
