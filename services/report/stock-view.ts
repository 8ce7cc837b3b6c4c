// The stock view: one row for each sku at each shop as it is now, and the movements view: one for each change of what is there.
import type { ViewDefinition } from './folding.ts';

/** The live tables. */
export const STOCK = 'stock_levels';
export const MOVEMENTS = 'stock_movements';

/** Lines carry the values after their change and the version of the item, so the newest line says all. */
export const stockView: ViewDefinition = {
  name: 'stock',
  table: STOCK,
  create: (table) => `
create table if not exists ${table} (
  shop_id text collate "C" not null,
  sku text collate "C" not null,
  version integer not null,
  on_hand bigint not null,
  reserved bigint not null,
  cost_version integer,
  unit_cost bigint,
  currency text,
  primary key (shop_id, sku)
)`,
  fold: (table, page) => `
insert into ${table} (shop_id, sku, version, on_hand, reserved, cost_version, unit_cost, currency)
select shop_id, sku, max(version), (array_agg("onHand" order by version desc))[1],
  (array_agg(reserved order by version desc))[1], max(version) filter (where cost is not null),
  (array_agg(cost order by version desc) filter (where cost is not null))[1],
  (array_agg(currency order by version desc) filter (where cost is not null))[1]
from (
  select data->>'shopId' as shop_id, sku, "itemVersion" as version, "onHand", reserved, data->>'currency' as currency,
    case when type = 'stock.received' and data->>'currency' is not null then "unitCost" end as cost
  from ${page}
  cross join lateral jsonb_to_recordset(data->'lines')
    as line(sku text, "itemVersion" integer, "onHand" bigint, reserved bigint, "unitCost" bigint)
  where topic = 'inventory' and jsonb_typeof(data->'lines') = 'array' and "itemVersion" is not null
) line
group by shop_id, sku
order by shop_id, sku
on conflict (shop_id, sku) do update set version = greatest(${table}.version, excluded.version),
  on_hand = case when ${table}.version < excluded.version then excluded.on_hand else ${table}.on_hand end,
  reserved = case when ${table}.version < excluded.version then excluded.reserved else ${table}.reserved end,
  cost_version = greatest(${table}.cost_version, excluded.cost_version),
  unit_cost = case when coalesce(${table}.cost_version, 0) < excluded.cost_version then excluded.unit_cost else ${table}.unit_cost end,
  currency = case when coalesce(${table}.cost_version, 0) < excluded.cost_version then excluded.currency else ${table}.currency end
where ${table}.version < excluded.version or coalesce(${table}.cost_version, 0) < excluded.cost_version`,
};

/** What changes the units on hand, signed; a reservation only promises them. */
export const movementsView: ViewDefinition = {
  name: 'movements',
  table: MOVEMENTS,
  create: (table) => `
create table if not exists ${table} (
  shop_id text collate "C" not null,
  sku text collate "C" not null,
  at timestamptz not null,
  position bigint not null,
  kind text not null,
  quantity bigint not null,
  primary key (shop_id, sku, at, position)
)`,
  fold: (table, page) => `
insert into ${table} (shop_id, sku, at, position, kind, quantity)
select data->>'shopId', sku, at, position, substr(type, length('stock.') + 1),
  sum(case when type in ('stock.committed', 'stock.dispatched', 'stock.written-off') then -quantity else quantity end)
from ${page}
cross join lateral jsonb_to_recordset(data->'lines') as line(sku text, quantity bigint)
where type in ('stock.found', 'stock.received', 'stock.adjusted', 'stock.committed', 'stock.uncommitted',
  'stock.dispatched', 'stock.arrived', 'stock.written-off', 'stock.counted', 'stock.returned')
  and quantity <> 0
group by data->>'shopId', sku, at, position, type
on conflict do nothing`,
};
