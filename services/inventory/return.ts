// Goods of one order that came back together: the cause of the items' changes, and what is published of them. Pure.
import { type EventOf, type StreamKind, type StreamRef, streamOf } from '#kit/events/aggregate';
import type { ChangedLine } from './reservation.ts';

/** Units of a sku that came back, by their condition. */
export interface ReturnedUnits {
  readonly sku: string;
  readonly sellable: number;
  readonly damaged: number;
}

/** `quantity`: the sellable units, which are on hand again. */
export type ReturnedLine = ChangedLine & { readonly damaged: number };

export type ReturnEvent = EventOf<
  'stock.returned',
  {
    readonly returnId: string;
    readonly orderId: string;
    readonly shopId: string;
    readonly partition: string;
    /** One line for each sku. */
    readonly lines: readonly ReturnedLine[];
  }
>;

export interface Return {
  readonly status: 'none' | 'booked';
  readonly orderId: string;
  readonly shopId: string;
  readonly partition: string;
  readonly lines: readonly ReturnedUnits[];
}

export const returns: StreamKind<Return, ReturnEvent> = {
  name: 'return',
  initial: { status: 'none', orderId: '', shopId: '', partition: '', lines: [] },
  evolve(_, { data: { orderId, shopId, partition, lines } }) {
    const units = lines.map(({ sku, quantity, damaged }) => ({ sku, sellable: quantity, damaged }));
    return { status: 'booked', orderId, shopId, partition, lines: units };
  },
  retention: 'inline',
  topic: 'inventory',
  partitionKey: (_, { partition }) => partition,
};

/** `returnId`: the order's own name for it. */
export function returnOf(returnId: string): StreamRef<Return, ReturnEvent> {
  return streamOf(returns, returnId);
}
