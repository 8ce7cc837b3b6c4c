// I8 for the documents themselves: the state that a service decides on is the fold of its events, for every kind of stream.

import { grantsKind, roleIndexes, roleKind } from '../../services/auth/access.ts';
import { adjustments } from '../../services/inventory/adjustment.ts';
import { counts } from '../../services/inventory/count.ts';
import { items } from '../../services/inventory/item.ts';
import { receiptParts, receipts } from '../../services/inventory/receipt.ts';
import { reservations } from '../../services/inventory/reservation.ts';
import { returns } from '../../services/inventory/return.ts';
import { thresholds } from '../../services/inventory/threshold.ts';
import { arrivals, transfers } from '../../services/inventory/transfer.ts';
import { writeOffs } from '../../services/inventory/write-off.ts';
import { newest } from '../../services/kit/events/upcasters.ts';
import { notifications } from '../../services/notification/notification.ts';
import { orders } from '../../services/order/order.ts';
import { payments } from '../../services/payment/payment.ts';
import { products } from '../../services/product/product.ts';
import { shopIndexes, shops } from '../../services/shop/shop.ts';
import type { Stream } from './evidence.ts';
import type { Violation } from './violation.ts';

interface Kind {
  readonly name: string;
  readonly initial: unknown;
  evolve(state: unknown, event: unknown, as: { readonly version: number; readonly at: string }): unknown;
}

/** Each kind knows its own events only; here they come from its own streams. */
const kinds = new Map(
  [
    items,
    reservations,
    returns,
    receipts,
    receiptParts,
    adjustments,
    writeOffs,
    counts,
    transfers,
    arrivals,
    thresholds,
    orders,
    payments,
    products,
    shops,
    shopIndexes,
    roleKind,
    roleIndexes,
    grantsKind,
    notifications,
  ].map((kind) => [kind.name, kind as unknown as Kind] as const),
);

/** Folds every stream of a known kind again: the state in its document has to come out. */
export function checkFolds(streams: ReadonlyMap<string, Stream>): Violation[] {
  return [...streams].flatMap(([key, { document, events }]) => {
    const kind = kinds.get(key.slice(0, key.indexOf(':')));
    if (!kind) return [];
    const folded = events.reduce((state: unknown, event) => kind.evolve(state, newest(event), event), kind.initial);
    const [is, should] = [canonical(document.state), canonical(folded)];
    return is === should
      ? []
      : [{ invariant: 'I8' as const, subject: key, what: `has the state ${is}, its events say ${should}` }];
  });
}

/** JSON with the keys in order, so that equal states are equal texts: DynamoDB's component stores keys in any order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
