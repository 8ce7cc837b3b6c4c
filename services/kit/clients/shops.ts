// Asks the shop service about shops. Answers are held for five seconds; a miss asks again.
import { lookUp } from '../dapr/ask.ts';
import type { Sidecar } from '../dapr/sidecar.ts';

export interface Shop {
  readonly id: string;
  readonly name: string;
  readonly kind: 'store' | 'web' | 'machine' | 'warehouse';
  readonly currency: string;
  readonly timeZone: string;
}

const HELD = 5_000;
const MOST = 2_000;

/** Looks up a shop; undefined if there is none. @throws {Fault} the shop service gave no answer. */
export type FindShop = (id: string) => Promise<Shop | undefined>;

export function shopsOf(sidecar: Sidecar): FindShop {
  const held = new Map<string, { shop: Promise<Shop | undefined>; until: number }>();
  return async (id) => {
    const known = held.get(id);
    if (known && known.until > performance.now()) return known.shop;
    const path = `/internal/shops/${encodeURIComponent(id)}`;
    const shop = lookUp<Shop>(sidecar, { to: 'shop', method: 'GET', path, timeout: 2_000 });
    held.set(id, { shop, until: performance.now() + HELD });
    if (held.size > MOST) held.delete(held.keys().next().value as string);
    const forget = () => {
      if (held.get(id)?.shop === shop) held.delete(id);
    };
    shop.then((found) => found ?? forget(), forget);
    return shop;
  };
}
