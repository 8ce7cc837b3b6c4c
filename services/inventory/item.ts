// The stock of one sku at one location. Pure: a long-lived stream whose every change names its cause.
import { type Decision, type EventOf, refuse, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import { keyPart } from '#kit/ids';

/** Units at the location, and how many of them are promised to orders. */
export interface OnShelf {
  readonly onHand: number;
  readonly reserved: number;
}

/** Units. `sold` is net of what came back; `found`: sold although not on record. */
export interface Item extends OnShelf {
  readonly sold: number;
  readonly received: number;
  readonly found: number;
  readonly adjusted: number;
}

/** A change and the key of the stream that caused it, whose document has the whole envelope. */
interface Change {
  readonly quantity: number;
  readonly cause: string;
}

export type ItemEvent =
  | EventOf<'item.received', Change>
  | EventOf<'item.adjusted', Change>
  | EventOf<'item.found', Change>
  | EventOf<'item.reserved', Change>
  | EventOf<'item.released', Change>
  | EventOf<'item.committed', Change>
  | EventOf<'item.uncommitted', Change>
  | EventOf<'item.returned', Change>
  /** Came back and cannot be sold again: it stays sold and is not on hand. */
  | EventOf<'item.damaged', Change>;

export const emptyItem: Item = { onHand: 0, reserved: 0, sold: 0, received: 0, found: 0, adjusted: 0 };

export function evolve(item: Item, { type, data: { quantity } }: ItemEvent): Item {
  const { onHand, reserved, sold, received, found, adjusted } = item;
  switch (type) {
    case 'item.received':
      return { ...item, onHand: onHand + quantity, received: received + quantity };
    case 'item.adjusted':
      return { ...item, onHand: onHand + quantity, adjusted: adjusted + quantity };
    case 'item.found':
      return { ...item, onHand: onHand + quantity, found: found + quantity };
    case 'item.reserved':
      return { ...item, reserved: reserved + quantity };
    case 'item.released':
      return { ...item, reserved: reserved - quantity };
    case 'item.committed':
      return { ...item, onHand: onHand - quantity, reserved: reserved - quantity, sold: sold + quantity };
    case 'item.uncommitted':
    case 'item.returned':
      return { ...item, onHand: onHand + quantity, sold: sold - quantity };
    case 'item.damaged':
      return item;
  }
}

export const items: StreamKind<Item, ItemEvent> = { name: 'item', initial: emptyItem, evolve, retention: 'paged' };

/** The stream of a sku at a shop. Both are client text and encoded. */
export function itemOf(shopId: string, sku: string): StreamRef<Item, ItemEvent> {
  return streamOf(items, `${keyPart(shopId)}:${keyPart(sku)}`);
}

/** Units that can still be promised. */
export function available({ onHand, reserved }: OnShelf): number {
  return onHand - reserved;
}

/**
 * Reserves units. A sale that has already happened is never refused: what is missing is found (sold-not-on-record).
 * Refuses with STOCK_INSUFFICIENT `{available}`.
 */
export function reserve(item: Item, wish: Change & { settled: boolean }): Decision<ItemEvent> {
  const { quantity, cause } = wish;
  const missing = quantity - available(item);
  const reserved: ItemEvent = { type: 'item.reserved', data: { quantity, cause } };
  if (missing <= 0) return [reserved];
  if (!wish.settled) return refuse('STOCK_INSUFFICIENT', { available: available(item) });
  return [{ type: 'item.found', data: { quantity: missing, cause } }, reserved];
}

export function release(_: Item, { quantity, cause }: Change): Decision<ItemEvent> {
  return [{ type: 'item.released', data: { quantity, cause } }];
}

/** The goods leave: what was reserved is sold. */
export function commit(_: Item, { quantity, cause }: Change): Decision<ItemEvent> {
  return [{ type: 'item.committed', data: { quantity, cause } }];
}

/** A sale is undone before the goods left: they are on hand again. */
export function uncommit(_: Item, { quantity, cause }: Change): Decision<ItemEvent> {
  return [{ type: 'item.uncommitted', data: { quantity, cause } }];
}

/** Sold goods come back: what is sellable is on hand again, what is damaged is only recorded. */
export function takeBack(
  _: Item,
  { sellable, damaged, cause }: { readonly sellable: number; readonly damaged: number; readonly cause: string },
): Decision<ItemEvent> {
  return [
    ...(sellable > 0 ? [{ type: 'item.returned', data: { quantity: sellable, cause } } as const] : []),
    ...(damaged > 0 ? [{ type: 'item.damaged', data: { quantity: damaged, cause } } as const] : []),
  ];
}

export function receive(_: Item, { quantity, cause }: Change): Decision<ItemEvent> {
  return [{ type: 'item.received', data: { quantity, cause } }];
}

/** Corrects the record by a signed quantity, never below what is reserved. */
export function adjust(item: Item, { quantity, cause }: Change): Decision<ItemEvent> {
  if (available(item) + quantity < 0) return refuse('STOCK_INSUFFICIENT', { available: available(item) });
  return [{ type: 'item.adjusted', data: { quantity, cause } }];
}
