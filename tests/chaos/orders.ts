// What is bought in a seed: every way an order can go, in a mix that the seed decides.
import { posOrder, productNamed, webOrder } from '../acceptance/goods.ts';
import { OTHER_SHOP, SHOP, WEB } from '../acceptance/world.ts';
import type { Gateway } from '../client/gateway.ts';
import { bookReceipt, defineProducts, type OrderRequest } from '../client/retail.ts';
import type { Condition } from './bags.ts';
import { between, pick, type Random, shuffled, whole } from './random.ts';

export type OrderKind =
  | 'good card'
  | 'cash'
  | 'sold earlier'
  | 'declined'
  | 'slow provider'
  | 'out of stock'
  | 'hot sku'
  | 'last pieces'
  | 'chunked'
  | 'cancelled'
  | 'cancelled while paying'
  | 'handed out'
  | 'brought back';

/** An order that will be placed, and cancelled where it says so. */
export interface PlannedOrder {
  readonly kind: OrderKind;
  readonly key: string;
  /** Milliseconds from the start of the load, or of its burst. */
  readonly at: number;
  readonly request: OrderRequest;
  /** Milliseconds from the answer to the cancellation. */
  readonly cancelAfter?: number;
  /** Staff hand it out as soon as it is confirmed. */
  readonly isHandedOut?: boolean;
  /** Then its first line comes back, in this condition. */
  readonly bringsBack?: Condition;
}

/** Goods that never run out. */
export const USUAL = Array.from({ length: 12 }, (_, n) => `chaos-${n}`);
/** More than one transaction can hold. */
const MANY = Array.from({ length: 111 }, (_, n) => `chaos-many-${n}`);
const HOT = 'chaos-hot';
const SCARCE = 'chaos-scarce';
const NONE = 'chaos-none';
/** Pieces of the scarce sku at each shop: fewer than are wanted. */
const SCARCE_PIECES = 25;
/** Pieces of everything else. */
export const PLENTY = 100_000;
const SHOPS = [SHOP, OTHER_SHOP, WEB];

/** Shares of the mix, in percent; what is rare in life is not rare here. */
const MIX: readonly (readonly [OrderKind, number])[] = [
  ['good card', 18],
  ['cash', 6],
  ['sold earlier', 4],
  ['declined', 9],
  ['slow provider', 4],
  ['out of stock', 10],
  ['hot sku', 8],
  ['last pieces', 5],
  ['chunked', 2],
  ['cancelled', 12],
  ['cancelled while paying', 8],
  ['handed out', 5],
  ['brought back', 9],
];

const CARD = { method: 'card', token: 'pm_card_visa' } as const;
const SLOW = { method: 'card', token: 'pm_card_visa_slow' } as const;
const DECLINED = { method: 'card', token: 'pm_card_visa_chargeDeclined' } as const;
const CASH = { method: 'cash' } as const;

/** An order of the mix, or of one kind. */
export function planOrder(random: Random, key: string, at: number, wanted?: OrderKind): PlannedOrder {
  const kind = wanted ?? kindOf(random() * MIX.reduce((sum, [, share]) => sum + share, 0));
  const shopId = kind === 'cash' || kind === 'sold earlier' ? pick(random, [SHOP, OTHER_SHOP]) : pick(random, SHOPS);
  const order = (skus: readonly string[], payment: OrderRequest['payment'] = CARD): PlannedOrder => ({
    kind,
    key,
    at,
    request: shopId === WEB ? webOrder(skus, { payment }) : posOrder(shopId, skus, { payment }),
  });
  const some = shuffled(random, USUAL).slice(0, whole(random, 1, 3));
  switch (kind) {
    case 'good card':
      return order(some);
    case 'cash':
      return order(some, CASH);
    case 'sold earlier': {
      const earlier = order([NONE], CASH);
      return { ...earlier, request: { ...earlier.request, occurredAt: '2017-02-03T10:00:00Z' } };
    }
    case 'declined':
      return order(some, DECLINED);
    case 'slow provider':
      return order(some, SLOW);
    case 'out of stock':
      return order([...some, NONE]);
    case 'hot sku':
      return order([HOT]);
    case 'last pieces':
      return order([SCARCE]);
    case 'chunked':
      return order(MANY);
    case 'cancelled':
      return { ...order(some), cancelAfter: pick(random, [0, between(random, 0, 400), between(random, 0, 4_000)]) };
    case 'handed out':
      return { ...order(some), isHandedOut: true };
    case 'brought back':
      return { ...order(some), isHandedOut: true, bringsBack: pick(random, ['sellable', 'damaged'] as const) };
    case 'cancelled while paying':
      return { ...order(some, SLOW), cancelAfter: between(random, 0, 3_500) };
  }
}

function kindOf(share: number): OrderKind {
  let left = share;
  for (const [kind, own] of MIX) {
    left -= own;
    if (left < 0) return kind;
  }
  return 'good card';
}

/** Puts the goods of the mix on the shelves of its shops. */
export async function stockShelves(admin: Gateway): Promise<void> {
  const all = [...USUAL, ...MANY, HOT, SCARCE, NONE];
  const results = await defineProducts(
    admin,
    all.map((sku) => productNamed(sku)),
  );
  const refused = results.find(({ outcome }) => outcome === 'refused');
  if (refused) throw new Error(`product not created: ${JSON.stringify(refused)}`);
  const lines = all
    .filter((sku) => sku !== NONE)
    .map((sku) => ({ sku, quantity: sku === SCARCE ? SCARCE_PIECES : PLENTY }));
  for (const shopId of SHOPS) await bookReceipt(admin, { shopId, reference: 'chaos', lines }, `chaos-stock-${shopId}`);
}

/** How an order may end: confirmed, or cancelled for one of these reasons. */
export function endsOf({ kind }: PlannedOrder): { readonly confirmed: boolean; readonly codes: readonly string[] } {
  switch (kind) {
    case 'declined':
      return { confirmed: false, codes: ['PAYMENT_DECLINED'] };
    case 'out of stock':
      return { confirmed: false, codes: ['STOCK_INSUFFICIENT'] };
    case 'last pieces':
      return { confirmed: true, codes: ['STOCK_INSUFFICIENT'] };
    case 'cancelled':
    case 'cancelled while paying':
      return { confirmed: true, codes: ['CUSTOMER_REQUEST'] };
    default:
      return { confirmed: true, codes: [] };
  }
}
