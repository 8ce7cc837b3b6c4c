// A shop: where goods are sold or kept, in which currency and by which clock. Pure.
import { type Decision, type EventOf, refuse, type StreamKind, streamOf } from '#kit/events/aggregate';

export interface Shop {
  readonly id: string;
  readonly name: string;
  readonly kind: 'store' | 'web' | 'machine' | 'warehouse';
  /** Of every price, order and payment of the shop. */
  readonly currency: string;
  /** Tells the day of a sale. */
  readonly timeZone: string;
}

/** Both carry the whole shop, so that a reader needs the newest event only. */
export type ShopEvent = EventOf<'shop.opened', Shop> | EventOf<'shop.changed', Shop>;

/** Null until it is opened. */
export type ShopState = Shop | null;

export const shops: StreamKind<ShopState, ShopEvent> = {
  name: 'shop',
  initial: null,
  evolve: (_, event) => event.data,
  retention: 'paged',
  topic: 'shops',
};

export function open(shop: ShopState, wish: Shop): Decision<ShopEvent> {
  return shop ? refuse('ALREADY_EXISTS', { id: shop.id }) : [{ type: 'shop.opened', data: wish }];
}

/**
 * Name, kind and time zone may change at any time: an order carries the time zone it was placed under, so that days
 * already reported stand. The currency may not: orders, payments and the ledger of the shop are kept in it, and whether
 * there are any yet only other services know. Another currency is another shop.
 */
export function change(shop: ShopState, wish: Shop): Decision<ShopEvent> {
  if (!shop) return refuse('NOT_FOUND');
  if (wish.currency !== shop.currency) {
    return refuse('CURRENCY_MISMATCH', { text: 'The currency of a shop never changes', currency: shop.currency });
  }
  const same = wish.name === shop.name && wish.kind === shop.kind && wish.timeZone === shop.timeZone;
  return same ? [] : [{ type: 'shop.changed', data: wish }];
}

/**
 * Ids of all shops, in order: the list reads the shops themselves, so that only an opening writes here. Some 5,000 ids
 * fit into a document on every store.
 */
export const shopIndexes: StreamKind<readonly string[], EventOf<'shop.listed', { readonly id: string }>> = {
  name: 'shop-index',
  initial: [],
  evolve: (ids, { data: { id } }) => [...ids, id].sort(),
  retention: 'paged',
};

/** There is one. */
export const shopIndex = streamOf(shopIndexes, 'all');
