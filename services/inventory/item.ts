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
  /** From and to other shops. Here and below: absent until the first. */
  readonly transferredIn?: number;
  readonly transferredOut?: number;
  readonly writtenOff?: number;
  /** The sum of what counts found, signed. */
  readonly counted?: number;
  /** Available units at which the stock is low; absent: nobody watches it. */
  readonly lowStockAt?: number;
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
  | EventOf<'item.damaged', Change>
  | EventOf<'item.dispatched', Change>
  | EventOf<'item.arrived', Change>
  | EventOf<'item.written-off', Change & { readonly reason: string }>
  | EventOf<'item.counted', Change & { readonly expected: number; readonly counted: number }>
  | EventOf<'item.threshold-set', { readonly lowStockAt: number | null; readonly cause: string }>;

export const emptyItem: Item = { onHand: 0, reserved: 0, sold: 0, received: 0, found: 0, adjusted: 0 };

export function evolve(item: Item, event: ItemEvent): Item {
  if (event.type === 'item.threshold-set') return watched(item, event.data.lowStockAt);
  const { onHand, reserved, sold, received, found, adjusted } = item;
  const { transferredIn = 0, transferredOut = 0, writtenOff = 0, counted = 0 } = item;
  const { quantity } = event.data;
  switch (event.type) {
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
    case 'item.dispatched':
      return { ...item, onHand: onHand - quantity, transferredOut: transferredOut + quantity };
    case 'item.arrived':
      return { ...item, onHand: onHand + quantity, transferredIn: transferredIn + quantity };
    case 'item.written-off':
      return { ...item, onHand: onHand - quantity, writtenOff: writtenOff + quantity };
    case 'item.counted':
      return { ...item, onHand: onHand + quantity, counted: counted + quantity };
  }
}

function watched({ lowStockAt: _, ...item }: Item, lowStockAt: number | null): Item {
  return lowStockAt === null ? item : { ...item, lowStockAt };
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

/** The goods leave for another shop. Refuses with STOCK_INSUFFICIENT `{available}`; a negative quantity takes it back. */
export function dispatch(item: Item, { quantity, cause }: Change): Decision<ItemEvent> {
  if (quantity > available(item)) return refuse('STOCK_INSUFFICIENT', { available: available(item) });
  return [{ type: 'item.dispatched', data: { quantity, cause } }];
}

/** What came from another shop, `damaged` units of it not to be sold. */
export function arrive(_: Item, { quantity, damaged, cause }: Change & { damaged: number }): Decision<ItemEvent> {
  const events: ItemEvent[] = [];
  if (quantity > 0) events.push({ type: 'item.arrived', data: { quantity, cause } });
  if (damaged > 0) events.push({ type: 'item.written-off', data: { quantity: damaged, reason: 'damaged', cause } });
  return events;
}

/** Goods that cannot be sold any more, never such as are promised to orders. A negative quantity takes it back. */
export function writeOff(item: Item, { quantity, reason, cause }: Change & { reason: string }): Decision<ItemEvent> {
  if (quantity > available(item)) return refuse('STOCK_INSUFFICIENT', { available: available(item) });
  return [{ type: 'item.written-off', data: { quantity, reason, cause } }];
}

/** The record at the moment of a count: what was on hand, and how much of it corrections alone had brought about. */
export interface Basis {
  readonly onHand: number;
  readonly corrections: number;
}

export function basisOf({ onHand, found, adjusted, counted = 0 }: Item): Basis {
  return { onHand, corrections: found + adjusted + counted };
}

/**
 * Posts the difference between what was counted and what the record said then (`basis`; without it: says now). What
 * moved goods since is left alone; what only corrected the record since is part of the difference. What is promised to
 * orders stays on record: the difference is posted as far as it goes.
 */
export function count(item: Item, { quantity, basis, cause }: Change & { basis?: Basis }): Decision<ItemEvent> {
  const now = basisOf(item);
  const then = basis ?? now;
  const expected = then.onHand + now.corrections - then.corrections;
  const difference = Math.max(quantity - expected, 0 - available(item));
  return [{ type: 'item.counted', data: { quantity: difference, expected, counted: quantity, cause } }];
}

/** Watches the stock from now on, or (null) no more. */
export function watch(
  item: Item,
  { lowStockAt, cause }: { lowStockAt: number | null; cause: string },
): Decision<ItemEvent> {
  if ((item.lowStockAt ?? null) === lowStockAt) return [];
  return [{ type: 'item.threshold-set', data: { lowStockAt, cause } }];
}

/** True when a change made the stock low: once, and not again until it rose above the threshold. */
export function becameLow(before: Item, after: Item): boolean {
  return isLow(after) && !isLow(before);
}

function isLow(item: Item): boolean {
  return item.lowStockAt !== undefined && available(item) <= item.lowStockAt;
}
