// The saga view: one row for each order, with the instant at which each step was done. Topics have no order among each
// other, so a row takes its instants as they come.
import type { ViewDefinition } from './folding.ts';

/** The live table. */
export const SAGA = 'saga_steps';

/** Columns with an instant, and the event that sets each. */
export const instants = {
  placed: 'order.placed',
  reserved: 'stock.reserved',
  rejected: 'stock.rejected',
  requested: 'payment.requested',
  captured: 'payment.captured',
  failed: 'payment.failed',
  released: 'stock.released',
  confirmed: 'order.confirmed',
  committed: 'stock.committed',
  cancelled: 'order.cancelled',
  uncommitted: 'stock.uncommitted',
  refunded: 'payment.refunded',
} as const;

const names = Object.keys(instants) as (keyof typeof instants)[];
const types = Object.values(instants).map((type) => `'${type}'`);

/** `day`: when it was placed, on the shop's calendar; null while the order itself was not heard of. */
export const sagaView: ViewDefinition = {
  name: 'saga',
  table: SAGA,
  create: (table) => `
create table if not exists ${table} (
  order_id text primary key,
  shop_id text not null,
  day date,
  reason text,
  ${names.map((name) => `${name} timestamptz`).join(',\n  ')}
);
create index if not exists ${table}_by_day on ${table} (day, shop_id)`,
  fold: (table, page) => `
insert into ${table} (order_id, shop_id, day, reason, ${names.join(', ')})
select data->>'orderId', min(data->>'shopId'),
  min((at at time zone (data->>'timeZone'))::date) filter (where type = 'order.placed'),
  min(data->'cancellation'->>'code') filter (where type = 'order.cancelled'),
  ${names.map((name) => `min(at) filter (where type = '${instants[name]}')`).join(',\n  ')}
from ${page} where type in (${types.join(', ')})
group by data->>'orderId'
order by data->>'orderId'
on conflict (order_id) do update set
  ${['day', 'reason', ...names].map((name) => `${name} = coalesce(${table}.${name}, excluded.${name})`).join(',\n  ')}`,
};
