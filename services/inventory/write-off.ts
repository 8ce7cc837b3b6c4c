// Goods that cannot be sold any more, each line with its reason. Pure.
import { type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import { keyPart } from '#kit/ids';
import type { StockLow } from './low-stock.ts';
import type { ChangedLine, Line, Shortage } from './reservation.ts';

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
