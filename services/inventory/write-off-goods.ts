// Writes goods off, all lines or none. What is promised to orders cannot be written off: cancel the order first.
import type { Refusal } from '#kit/errors';
import type { Origin } from '#kit/events/aggregate';
import type { CommandIdentity } from '#kit/events/desk';
import type { Streams } from '#kit/events/streams';
import { idOf } from '#kit/ids';
import { type Item, writeOff } from './item.ts';
import type { Booked } from './movement.ts';
import { bookSheet, goOnWith, type Sheet } from './sheet.ts';
import { type WriteOff, type WriteOffEvent, type WriteOffLine, type WriteOffState, writeOffOf } from './write-off.ts';

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

type Reasoned = Pick<WriteOffLine, 'reason'>;

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
