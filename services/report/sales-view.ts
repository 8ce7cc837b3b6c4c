// The sales view: one row for each order that was ever confirmed, replaced by whatever is newer of the same order.
import type { ViewDefinition } from './folding.ts';
import { salesSums } from './sales-sums.ts';

/** The live table. */
export const SALES = 'sales_contributions';

/**
 * Sums are those of the lines, so that every grouping adds up to the same. The day is the one on the shop's calendar when
 * the sale really happened. A cancelled order keeps its row, not counted: it must not come back with an older event.
 */
export const salesView: ViewDefinition = {
  name: 'sales',
  table: SALES,
  create: (table) => `
create table if not exists ${table} (
  order_id text primary key,
  version integer not null,
  counted boolean not null,
  shop_id text not null,
  channel text not null,
  currency text not null,
  day date not null,
  units bigint not null,
  gross bigint not null,
  discounts bigint not null,
  loyalty bigint not null,
  store_coupon bigint not null,
  manual bigint not null,
  net bigint not null,
  lines jsonb not null
)`,
  fold: (table, page) => `
insert into ${table} (order_id, version, counted, shop_id, channel, currency, day,
  units, gross, discounts, loyalty, store_coupon, manual, net, lines)
select data->>'orderId', version, type <> 'order.cancelled', data->>'shopId', data->>'channel', data->>'currency',
  (coalesce(data->>'occurredAt', data->>'placedAt')::timestamptz at time zone (data->>'timeZone'))::date,
  totals.*
from (
  select distinct on (stream) * from ${page}
  where type in ('order.confirmed', 'order.cancelled') order by stream, version desc
) newest
cross join lateral (
  select coalesce(sum(quantity), 0), coalesce(sum("unitPrice" * quantity), 0), coalesce(sum(given.discounts), 0),
    coalesce(sum(loyalty), 0), coalesce(sum(store_coupon), 0), coalesce(sum(manual), 0), coalesce(sum(total), 0),
    coalesce(jsonb_agg(jsonb_build_object(
      'sku', sku, 'department', department, 'units', quantity, 'gross', "unitPrice" * quantity,
      'discounts', given.discounts, 'loyalty', loyalty, 'store_coupon', store_coupon, 'manual', manual, 'net', total
    )), '[]')
  from jsonb_to_recordset(data->'lines')
    as line(sku text, department text, quantity bigint, "unitPrice" bigint, discounts jsonb, total bigint)
  cross join lateral (
    select coalesce(sum(amount), 0) as discounts,
      coalesce(sum(amount) filter (where kind = 'loyalty'), 0) as loyalty,
      coalesce(sum(amount) filter (where kind = 'storeCoupon'), 0) as store_coupon,
      coalesce(sum(amount) filter (where kind = 'manual'), 0) as manual
    from jsonb_to_recordset(line.discounts) as discount(kind text, amount bigint)
  ) given
) totals
on conflict (order_id) do update set version = excluded.version, counted = excluded.counted,
  shop_id = excluded.shop_id, channel = excluded.channel, currency = excluded.currency, day = excluded.day,
  units = excluded.units, gross = excluded.gross, discounts = excluded.discounts, loyalty = excluded.loyalty,
  store_coupon = excluded.store_coupon, manual = excluded.manual, net = excluded.net, lines = excluded.lines
where ${table}.version < excluded.version
returning new.*, coalesce(old.counted, false) as was_counted`,
  sums: salesSums,
};
