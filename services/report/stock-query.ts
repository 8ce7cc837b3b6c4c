// The stock report: what is there, what it cost, how it moved and how long it will last.
import type { Database } from '#kit/views/database';
import { MOVEMENTS, STOCK } from './stock-view.ts';

/** A place in the list. */
export type StockPlace = readonly [shopId: string, sku: string];

export interface StockQuestion {
  readonly shopId?: string | undefined;
  readonly sku?: string | undefined;
  /** Undefined: every shop. */
  readonly shops?: readonly string[] | undefined;
  /** How many days back movements are counted. */
  readonly days: number;
  readonly after?: StockPlace | undefined;
  readonly limit: number;
}

export interface StockRow {
  readonly shopId: string;
  readonly sku: string;
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
  /** `onHand` at the unit cost of the newest receipt that told one, minor units of `currency`; null: none did. */
  readonly value: number | null;
  readonly currency: string | null;
  /** Units of the last days. `sold` is net of what came back, `adjusted` and `counted` signed. */
  readonly movements: {
    readonly received: number;
    readonly found: number;
    readonly adjusted: number;
    readonly counted: number;
    readonly transferredIn: number;
    readonly transferredOut: number;
    readonly writtenOff: number;
    readonly sold: number;
  };
  /** Days until `available` is sold at the rate of the last days, to a tenth; null: nothing was sold. */
  readonly daysOfCover: number | null;
}

/** Rows by shop and sku. @throws {Fault} the database is out of reach */
export function stockRows(database: Database, question: StockQuestion): Promise<StockRow[]> {
  const { shopId, sku, shops, days, after, limit } = question;
  return database.query<StockRow>(
    `select level.shop_id as "shopId", level.sku, on_hand as "onHand", reserved, on_hand - reserved as available,
       on_hand * unit_cost as value, currency,
       json_build_object('received', received, 'found', found, 'adjusted', adjusted, 'counted', counted,
         'transferredIn', transferred_in, 'transferredOut', transferred_out, 'writtenOff', written_off,
         'sold', sold) as movements,
       case when sold > 0 then round(greatest(0, on_hand - reserved) * $1::int / sold, 1) end as "daysOfCover"
     from (
       select * from ${STOCK}
       where ($2::text is null or shop_id = $2) and ($3::text is null or sku = $3)
         and ($4::text[] is null or shop_id = any($4::text[])) and (shop_id, sku) > ($5::text, $6::text)
       order by shop_id, sku limit ${Math.trunc(limit)}
     ) level
     cross join lateral (
       select coalesce(sum(quantity) filter (where kind = 'received'), 0) as received,
         coalesce(sum(quantity) filter (where kind = 'found'), 0) as found,
         coalesce(sum(quantity) filter (where kind = 'adjusted'), 0) as adjusted,
         coalesce(sum(quantity) filter (where kind = 'counted'), 0) as counted,
         coalesce(sum(quantity) filter (where kind = 'arrived'), 0) as transferred_in,
         coalesce(-sum(quantity) filter (where kind = 'dispatched'), 0) as transferred_out,
         coalesce(-sum(quantity) filter (where kind = 'written-off'), 0) as written_off,
         coalesce(-sum(quantity) filter (where kind in ('committed', 'uncommitted', 'returned')), 0) as sold
       from ${MOVEMENTS} moved
       where moved.shop_id = level.shop_id and moved.sku = level.sku and at >= now() - $1::int * interval '1 day'
     ) lately
     order by level.shop_id, level.sku`,
    [days, shopId ?? null, sku ?? null, shops ?? null, after?.[0] ?? '', after?.[1] ?? ''],
  );
}
