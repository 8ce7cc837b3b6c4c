// Goods on their way from one shop to another: dispatched by the source, received by the destination, in transit between.
// A transfer publishes from two streams: this one in the source's partition, its arrival in the destination's. Pure.
import { type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import { idOf } from '#kit/ids';
import type { StockLow } from './low-stock.ts';
import type { ChangedLine, Line, Shortage } from './reservation.ts';
import type { GoneLine } from './write-off.ts';

/** What arrived of a sku. */
export interface ReceivedLine {
  readonly sku: string;
  readonly sent: number;
  /** All units that arrived; `damaged` of them cannot be sold. */
  readonly received: number;
  readonly damaged: number;
  /** Received less sent. `reason`: what the difference is posted as, if there is one. */
  readonly difference: number;
  readonly reason: 'lost_in_transit' | 'surplus' | null;
}

interface Head {
  readonly transferId: string;
  /** The shop that sends. */
  readonly shopId: string;
  readonly toShopId: string;
  readonly reference: string;
}
interface Terms extends Head {
  readonly hash: string;
  readonly reason: string;
  /** The destination receives all of it at once, as sent. */
  readonly receive: boolean;
}

export type TransferEvent =
  | EventOf<'transfer.opened', Terms & { readonly lines: readonly Line[] }>
  | EventOf<'stock.dispatched', Terms & { readonly lines: readonly ChangedLine[] }>
  | EventOf<'transfer.refused', Head & { readonly shortages: readonly Shortage[] }>
  | EventOf<'transfer.received', Head & { readonly lines: readonly ReceivedLine[] }>
  | StockLow;

export interface Transfer extends Terms {
  readonly status: 'none' | 'opened' | 'refused' | 'in_transit' | 'received';
  readonly lines: readonly Line[];
  readonly received: readonly ReceivedLine[];
  readonly dispatchedAt: string | null;
  readonly receivedAt: string | null;
}

const none: Transfer = {
  ...{ status: 'none', transferId: '', shopId: '', toShopId: '', reference: '', hash: '', reason: '', receive: false },
  ...{ lines: [], received: [], dispatchedAt: null, receivedAt: null },
};

export const transfers: StreamKind<Transfer, TransferEvent> = {
  name: 'transfer',
  initial: none,
  evolve(transfer, { type, data }, { at }) {
    switch (type) {
      case 'transfer.opened':
        return { ...transfer, ...data, status: 'opened' };
      case 'stock.dispatched': {
        const lines = data.lines.map(({ sku, quantity }) => ({ sku, quantity }));
        return { ...transfer, ...data, lines, status: 'in_transit', dispatchedAt: at };
      }
      case 'transfer.refused':
        return { ...transfer, status: 'refused' };
      case 'transfer.received':
        return { ...transfer, status: 'received', received: data.lines, receivedAt: at };
      case 'stock.low':
        return transfer;
    }
  },
  retention: 'inline',
  topic: 'inventory',
  partitionKey: (_, { shopId }) => shopId,
};

/** The id of a transfer: one for each reference of a source. */
export function transferIdOf(shopId: string, reference: string): string {
  return idOf('transfer', shopId, reference);
}

export function transferOf(transferId: string): StreamRef<Transfer, TransferEvent> {
  return streamOf(transfers, transferId);
}

/** `quantity`: the units that arrived. */
export interface ArrivalLine extends Line {
  readonly sent: number;
  readonly damaged: number;
}

interface ArrivalHead {
  readonly transferId: string;
  /** The shop that receives. */
  readonly shopId: string;
  readonly fromShopId: string;
  readonly reference: string;
}

export type ArrivalEvent =
  | EventOf<'arrival.opened', ArrivalHead & { readonly hash: string; readonly lines: readonly ArrivalLine[] }>
  | EventOf<'stock.arrived', ArrivalHead & { readonly hash: string; readonly lines: readonly ChangedLine[] }>
  | EventOf<
      'stock.written-off',
      {
        readonly writeOffId: string;
        readonly shopId: string;
        readonly reference: string;
        readonly hash: string;
        readonly note: string;
        readonly lines: readonly GoneLine[];
      }
    >
  | StockLow;

export interface Arrival {
  readonly status: 'none' | 'opened' | 'booked';
  readonly shopId: string;
  readonly hash: string;
  readonly lines: readonly ArrivalLine[];
}

export const arrivals: StreamKind<Arrival, ArrivalEvent> = {
  name: 'arrival',
  initial: { status: 'none', shopId: '', hash: '', lines: [] },
  evolve(arrival, { type, data }) {
    switch (type) {
      case 'arrival.opened':
        return { status: 'opened', shopId: data.shopId, hash: data.hash, lines: data.lines };
      case 'stock.arrived':
        return { status: 'booked', shopId: data.shopId, hash: data.hash, lines: [] };
      default:
        return arrival;
    }
  },
  retention: 'inline',
  topic: 'inventory',
  partitionKey: (_, { shopId }) => shopId,
};

/** What arrived of a transfer: it is received once. */
export function arrivalOf(transferId: string): StreamRef<Arrival, ArrivalEvent> {
  return streamOf(arrivals, transferId);
}

/** The lines of an arrival against what was sent. */
export function receivedLines(lines: readonly ArrivalLine[]): ReceivedLine[] {
  return lines.map(({ sku, sent, quantity, damaged }) => {
    const difference = quantity - sent;
    const reason = difference === 0 ? null : difference < 0 ? 'lost_in_transit' : 'surplus';
    return { sku, sent, received: quantity, damaged, difference, reason };
  });
}
