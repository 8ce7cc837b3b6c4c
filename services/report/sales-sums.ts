// Sums of the sales by shop, day and channel; by department of these; by sku of these. A question reads as many rows as
// there are such groups, however many orders there were.
import type { Sums } from './folding.ts';

/** Which rows a question reads: each order is in them once for every group. */
export const levels = { order: 0, department: 1, sku: 2 } as const;

const AMOUNTS = ['units', 'gross', 'discounts', 'loyalty', 'store_coupon', 'manual', 'net'] as const;
const KEY = 'level, day, shop_id, channel, currency, department, sku';

/** A group whose orders were all cancelled keeps its row of zeros, as a rebuild makes it. */
export const salesSums: Sums = {
  create: (sums) => `
create table ${sums} (
  level smallint not null,
  day date not null,
  shop_id text not null,
  channel text not null,
  currency text not null,
  department text,
  sku text,
  orders bigint not null,
  ${AMOUNTS.map((amount) => `${amount} bigint not null`).join(', ')}
);
create unique index ${sums}_key on ${sums} (${KEY}) nulls not distinct`,
  add: (sums, changes) => `
insert into ${sums} as kept (${KEY}, orders, ${AMOUNTS.join(', ')})
select ${KEY}, sum(change), ${AMOUNTS.map((amount) => `sum(change * cell.${amount})`).join(', ')}
from (select *, counted::int - was_counted::int as change from ${changes} changes) sale
cross join lateral (
  select ${levels.order} as level, null as department, null as sku, ${AMOUNTS.map((amount) => `sale.${amount}`).join(', ')}
  union all
  select case grouping(sku) when 1 then ${levels.department} else ${levels.sku} end, department, sku,
    ${AMOUNTS.map((amount) => `sum(line.${amount})`).join(', ')}
  from jsonb_to_recordset(sale.lines) as line(sku text, department text, ${AMOUNTS.map((amount) => `${amount} bigint`).join(', ')})
  group by grouping sets ((department), (department, sku))
) cell
group by ${KEY}
order by ${KEY}
on conflict (${KEY}) do update set orders = kept.orders + excluded.orders,
  ${AMOUNTS.map((amount) => `${amount} = kept.${amount} + excluded.${amount}`).join(', ')}`,
  all: (table) => `select *, false as was_counted from ${table}`,
};
