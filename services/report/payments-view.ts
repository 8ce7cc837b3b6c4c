// The payments view: one row for each payment, and the ledger view: one row for each line of each entry.
import type { ViewDefinition } from './folding.ts';

/** The live tables. */
export const PAYMENTS = 'payment_states';
export const LEDGER = 'ledger_lines';

/**
 * Every event of a payment is fat: the newest says all but when it began. The day is one in UTC. A payment of which parts
 * went back for returns stays `captured`.
 */
export const paymentsView: ViewDefinition = {
  name: 'payments',
  table: PAYMENTS,
  create: (table) => `
create table if not exists ${table} (
  payment_id text primary key,
  version integer not null,
  shop_id text not null,
  currency text not null,
  method text,
  status text not null,
  day date not null,
  amount bigint not null,
  captured bigint not null,
  refunded bigint not null
);
create index if not exists ${table}_by_day on ${table} (day, shop_id)`,
  fold: (table, page) => `
insert into ${table} (payment_id, version, shop_id, currency, method, status, day, amount, captured, refunded)
select data->>'paymentId', version, data->>'shopId', data->>'currency', data->>'method', status, began,
  (data->>'amount')::bigint,
  case when status in ('captured', 'refunding', 'refunded') then (data->>'amount')::bigint else 0 end,
  coalesce((data->>'refundedAmount')::bigint, case when status = 'refunded' then (data->>'amount')::bigint else 0 end)
from (
  select distinct on (stream) *, (min(at) over (partition by stream) at time zone 'UTC')::date as began,
    case type
      when 'payment.requested' then 'capturing' when 'payment.cancellation-noted' then 'capturing'
      when 'payment.refund-requested' then 'refunding' when 'payment.return-requested' then 'captured'
      when 'payment.return-refunded' then 'captured' else substr(type, length('payment.') + 1)
    end as status
  from ${page} where topic = 'payments' order by stream, version desc
) newest
on conflict (payment_id) do update set version = excluded.version, shop_id = excluded.shop_id,
  currency = excluded.currency, method = coalesce(excluded.method, ${table}.method), status = excluded.status,
  amount = excluded.amount, captured = excluded.captured, refunded = excluded.refunded
where ${table}.version < excluded.version`,
};

/**
 * The lines as payment booked them: positive is a debit, negative a credit. Events of before they were told have none;
 * theirs follow from the same rule that payment had then.
 */
export const ledgerView: ViewDefinition = {
  name: 'ledger',
  table: LEDGER,
  create: (table) => `
create table if not exists ${table} (
  payment_id text not null,
  kind text not null,
  account text not null,
  shop_id text not null,
  currency text not null,
  day date not null,
  amount bigint not null,
  primary key (payment_id, kind, account)
);
create index if not exists ${table}_by_day on ${table} (day, shop_id) include (currency, account, amount)`,
  fold: (table, page) => `
insert into ${table} (payment_id, kind, account, shop_id, currency, day, amount)
select data->>'paymentId',
  case type when 'payment.return-refunded' then 'return:' || (data->>'returnId') else substr(type, length('payment.') + 1) end,
  line.account, data->>'shopId', data->>'currency',
  (at at time zone 'UTC')::date, line.amount
from ${page}
cross join lateral (
  select case when type = 'payment.captured' then 1 else -1 end * (data->>'amount')::bigint as amount,
    case data->>'method' when 'cash' then 'cash:' || (data->>'shopId') else 'card-clearing' end as money
) moved
cross join lateral jsonb_to_recordset(coalesce(data->'ledger', jsonb_build_array(
  jsonb_build_object('account', moved.money, 'amount', moved.amount),
  jsonb_build_object('account', 'sales:' || (data->>'shopId'), 'amount', -moved.amount)
))) as line(account text, amount bigint)
where type in ('payment.captured', 'payment.refunded', 'payment.return-refunded') and line.amount <> 0
on conflict do nothing`,
};
