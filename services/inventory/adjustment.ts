// A correction of the record, signed, all lines or none. Pure.
import { type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import { keyPart } from '#kit/ids';
import type { StockLow } from './low-stock.ts';
import type { ChangedLine, Line, Shortage } from './reservation.ts';

interface Head {
  readonly adjustmentId: string;
  readonly shopId: string;
  readonly reference: string;
}

export type AdjustmentEvent =
  | EventOf<
      'adjustment.opened',
      Head & { readonly hash: string; readonly reason: string; readonly lines: readonly Line[] }
    >
  | EventOf<
      'stock.adjusted',
      Head & { readonly hash: string; readonly reason: string; readonly lines: readonly ChangedLine[] }
    >
  | EventOf<'adjustment.refused', Head & { readonly shortages: readonly Shortage[] }>
  | StockLow;

export interface Adjustment {
  readonly status: 'none' | 'opened' | 'booked' | 'refused';
  readonly shopId: string;
  readonly hash: string;
  readonly reason: string;
  readonly lines: readonly Line[];
}

export const adjustments: StreamKind<Adjustment, AdjustmentEvent> = {
  name: 'adjustment',
  initial: { status: 'none', shopId: '', hash: '', reason: '', lines: [] },
  evolve(adjustment, { type, data }) {
    const { shopId } = data;
    switch (type) {
      case 'adjustment.opened':
        return { status: 'opened', shopId, hash: data.hash, reason: data.reason, lines: data.lines };
      case 'stock.adjusted':
        return { ...adjustment, status: 'booked', shopId, hash: data.hash, reason: data.reason };
      case 'adjustment.refused':
        return { ...adjustment, status: 'refused' };
      case 'stock.low':
        return adjustment;
    }
  },
  retention: 'inline',
  topic: 'inventory',
  partitionKey: (_, { shopId }) => shopId,
};

export function adjustmentOf(shopId: string, reference: string): StreamRef<Adjustment, AdjustmentEvent> {
  return streamOf(adjustments, `${keyPart(shopId)}:${keyPart(reference)}`);
}
