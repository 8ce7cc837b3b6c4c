// What the routes ask for: reads of items, and movements after their shop and skus are known to exist.
import type { FindProducts } from '#kit/clients/products';
import type { FindShop } from '#kit/clients/shops';
import { type Refusal, refuse } from '#kit/errors';
import type { Origin } from '#kit/events/aggregate';
import type { CommandIdentity } from '#kit/events/desk';
import type { Streams } from '#kit/events/streams';
import { adjustStock } from './adjust-stock.ts';
import { available, type Item, itemOf, type OnShelf } from './item.ts';
import type { Booked, Movement } from './movement.ts';
import { receiveGoods } from './receive-goods.ts';
import { type Line, mergedBySku, type Shortage } from './reservation.ts';
import { type InventoryViews, stockId } from './views.ts';

export const MOST_RECEIPT_LINES = 20_000;

export interface StockView {
  readonly shopId: string;
  readonly sku: string;
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
}

export interface Dependencies {
  readonly streams: Streams;
  readonly views: InventoryViews;
  readonly findShop: FindShop;
  readonly findProducts: FindProducts;
}

export class Inventory {
  readonly streams: Streams;
  readonly #views: InventoryViews;
  readonly #findShop: FindShop;
  readonly #findProducts: FindProducts;

  constructor({ streams, views, findShop, findProducts }: Dependencies) {
    this.streams = streams;
    this.#views = views;
    this.#findShop = findShop;
    this.#findProducts = findProducts;
  }

  /** Stock as it is now, in the order asked for. A sku that was never in stock has zeros; one that does not exist is left out. */
  async stock(shopId: string, skus: readonly string[]): Promise<StockView[]> {
    const distinct = [...new Set(skus)];
    const documents = await Promise.all(distinct.map((sku) => this.streams.read(itemOf(shopId, sku))));
    const absent = distinct.filter((_, index) => documents[index] === undefined);
    const known =
      absent.length > 0 && (await this.#findShop(shopId)) ? await this.#findProducts(shopId, absent) : undefined;
    return distinct.flatMap((sku, index) => {
      const item = documents[index]?.state ?? (known?.get(sku)?.known ? NOTHING : undefined);
      return item ? [viewOf(shopId, sku, item)] : [];
    });
  }

  /** A page of the list view: every sku that was ever in stock, after a sku. */
  async list(shopId: string, after: string, limit: number): Promise<StockView[]> {
    const rows = await this.#views.stockOf(shopId, after, limit);
    return rows.map(({ sku, on_hand, reserved }) => viewOf(shopId, sku, { onHand: on_hand, reserved }));
  }

  /** Waits a second at most for a row of the list view. `id` is the sku. */
  reached(shopId: string, { id, version }: { id: string; version: number }): Promise<boolean> {
    return this.#views.stock.reached(stockId(shopId, id), version);
  }

  /** Lines that cannot be served now. A hint: stores may answer a bulk read some moments old. @throws {Fault} */
  async shortages(shopId: string, lines: readonly Line[]): Promise<Shortage[]> {
    const wanted = mergedBySku(lines);
    const refs = wanted.map(({ sku }) => itemOf(shopId, sku));
    const stored = await this.streams.sidecar.getBulk<{ state: Item }>(
      this.streams.store,
      refs.map(({ key }) => key),
    );
    return wanted.flatMap(({ sku, quantity }, index) => {
      const item = stored.get(refs[index]?.key ?? '')?.value.state ?? NOTHING;
      return available(item) >= quantity ? [] : [{ sku, wanted: quantity, available: available(item) }];
    });
  }

  /** Books a receipt or an adjustment. Refuses an unknown shop or sku before anything is written. @throws {Fault} */
  async book(
    kind: 'receipt' | 'adjustment',
    movement: Movement,
    command: CommandIdentity,
    origin: Origin,
  ): Promise<Booked | Refusal> {
    const unknown = await this.unknown(movement.shopId, movement.lines);
    if (unknown) return unknown;
    if (kind === 'receipt') return receiveGoods(this.streams, movement, command, origin);
    return adjustStock(this.streams, { ...movement, lines: mergedBySku(movement.lines) }, command, origin);
  }

  /** Refuses a shop or sku that does not exist: SHOP_UNKNOWN, PRODUCT_UNKNOWN `{errors}`. @throws {Fault} */
  async unknown(shopId: string, lines: readonly { readonly sku: string }[]): Promise<Refusal | undefined> {
    const [shop, products] = await Promise.all([
      this.#findShop(shopId),
      this.#findProducts(
        shopId,
        lines.map(({ sku }) => sku),
      ),
    ]);
    if (!shop) return refuse('SHOP_UNKNOWN', { shopId });
    const errors = lines.flatMap(({ sku }, index) =>
      products.get(sku)?.known ? [] : [{ pointer: `/lines/${index}/sku`, detail: 'There is no such product' }],
    );
    return errors.length > 0 ? refuse('PRODUCT_UNKNOWN', { errors: errors.slice(0, 100) }) : undefined;
  }
}

const NOTHING: OnShelf = { onHand: 0, reserved: 0 };

/** The stock of a sku as clients see it. */
export function viewOf(shopId: string, sku: string, item: OnShelf): StockView {
  const { onHand, reserved } = item;
  return { shopId, sku, onHand, reserved, available: available(item) };
}
