// What one order holds of a shop's stock. Short-lived: the cause of the items' changes, and what is published of them.
import { type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import type { LowLine } from './low-stock.ts';

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** A line after its change: the item's version and values then. */
export interface ChangedLine extends Line {
  readonly itemVersion: number;
  readonly onHand: number;
  readonly reserved: number;
  readonly sold: number;
}

export interface Shortage {
  readonly sku: string;
  readonly wanted: number;
  readonly available: number;
}

export interface Reason {
  readonly code: string;
  readonly detail: string;
}

interface OfOrder {
  readonly orderId: string;
  readonly shopId: string;
  /** Partition of the whole saga of this order. */
  readonly partition: string;
}
/** What payment has to know of the order; it hears of the stock first. */
interface ToPay {
  readonly customerId: string | null;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly tender: { readonly method: 'card' | 'cash' };
  /** The sale has already happened: it is never refused for stock. */
  readonly settled: boolean;
}
/** One line for each sku. */
interface Changed extends OfOrder {
  readonly lines: readonly ChangedLine[];
}

export type ReservationEvent =
  | EventOf<'stock.found', OfOrder & { readonly lines: readonly Line[] }>
  | EventOf<'stock.reserved', Changed & ToPay>
  | EventOf<'stock.low', OfOrder & { readonly lines: readonly LowLine[] }>
  | EventOf<'stock.rejected', OfOrder & { readonly shortages: readonly Shortage[] }>
  | EventOf<'stock.released', Changed & { readonly reason: Reason }>
  | EventOf<'stock.committed', Changed>
  | EventOf<'stock.uncommitted', Changed & { readonly reason: Reason }>
  | EventOf<'reservation.closed', OfOrder & { readonly reason: Reason }>;

export interface Reservation {
  /** `closed`: cancelled before anything was reserved; nothing ever will be. */
  readonly status: 'none' | 'reserved' | 'rejected' | 'released' | 'committed' | 'uncommitted' | 'closed';
  readonly shopId: string;
  readonly partition: string;
  readonly lines: readonly Line[];
}

const none: Reservation = { status: 'none', shopId: '', partition: '', lines: [] };

function evolve(reservation: Reservation, { type, data }: ReservationEvent): Reservation {
  const { shopId, partition } = data;
  switch (type) {
    case 'stock.found':
      return { ...reservation, shopId, partition };
    case 'stock.reserved': {
      const lines = data.lines.map(({ sku, quantity }) => ({ sku, quantity }));
      return { status: 'reserved', shopId, partition, lines };
    }
    case 'stock.rejected':
      return { ...reservation, shopId, partition, status: 'rejected' };
    case 'stock.low':
      return reservation;
    case 'stock.released':
      return { ...reservation, status: 'released' };
    case 'stock.committed':
      return { ...reservation, status: 'committed' };
    case 'stock.uncommitted':
      return { ...reservation, status: 'uncommitted' };
    case 'reservation.closed':
      return { ...reservation, shopId, partition, status: 'closed' };
  }
}

export const reservations: StreamKind<Reservation, ReservationEvent> = {
  name: 'reservation',
  initial: none,
  evolve,
  retention: 'inline',
  topic: 'inventory',
  partitionKey: (_, reservation) => reservation.partition,
};

export function reservationOf(orderId: string): StreamRef<Reservation, ReservationEvent> {
  return streamOf(reservations, orderId);
}

/** One line for each sku, in the order of their first appearance: an order may name a sku twice. */
export function mergedBySku(lines: readonly Line[]): Line[] {
  const merged = new Map<string, number>();
  for (const { sku, quantity } of lines) merged.set(sku, (merged.get(sku) ?? 0) + quantity);
  return [...merged].map(([sku, quantity]) => ({ sku, quantity }));
}
