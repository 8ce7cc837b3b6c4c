// The audit view: one row for each event, chained. A row's hash covers the event, the row and the hash before it, in the
// order of the log, so that nothing can be changed, taken out or put in without every later hash being wrong.
import type { ViewDefinition } from './folding.ts';

/** The live table. */
export const AUDIT = 'audit_trail';

/** What the first row is chained to. */
export const GENESIS = `'\\x${'00'.repeat(32)}'::bytea`;

/**
 * SHA-256 of everything that is on record of an event (`event`, a row of `events`) and of what its row (`row`) adds. As
 * JSON, which has one text for one content: parts cannot run into each other.
 */
export function digestOf(event: string, row: string): string {
  const parts = [
    ...['position', 'id', 'topic', 'source', 'stream', 'version', 'type', 'schema_version'].map((c) => `${event}.${c}`),
    `(extract(epoch from ${event}.at) * 1000000)::bigint`,
    ...['actor', 'correlation_id', 'causation_id', 'traceparent'].map((column) => `${event}.${column}`),
    ...[`${row}.subject`, `${row}.order_id`, `${row}.shop_id`],
  ];
  return `sha256(convert_to(jsonb_build_array(${parts.join(', ')})::text || ${event}.data::text, 'UTF8'))`;
}

/**
 * `subject`: the id of what changed, as its owner's routes name it (a sku for a product, its text unescaped). `order_id`:
 * the order that it was done for. `shop_id`: null if it concerns no shop alone.
 */
export const auditView: ViewDefinition = {
  name: 'audit',
  table: AUDIT,
  create: (table) => `
create table if not exists ${table} (
  position bigint primary key,
  at timestamptz not null,
  subject text not null,
  order_id text,
  shop_id text,
  hash bytea not null
);
create index if not exists ${table}_by_time on ${table} (at, position);
create index if not exists ${table}_by_subject on ${table} (subject, at, position);
create index if not exists ${table}_by_order on ${table} (order_id, at, position) where order_id is not null;
create or replace function audit_link(state bytea, previous bytea, digest bytea) returns bytea
  language sql immutable parallel safe as 'select sha256(coalesce(state, previous) || digest)';
create or replace aggregate audit_chain(previous bytea, digest bytea) (sfunc = audit_link, stype = bytea)`,
  fold: (table, page) => `
insert into ${table} (position, at, subject, order_id, shop_id, hash)
select position, at, subject, order_id, shop_id, audit_chain(previous, digest) over (order by position)
from (
  select event.position, event.at, named.*, ${digestOf('event', 'named')} as digest,
    coalesce((select hash from ${table} where position < (select low from bounds) order by position desc limit 1), ${GENESIS}) as previous
  from ${page} event
  cross join lateral (select
    case topic
      when 'access' then coalesce(data->>'principal', data->>'name')
      when 'products' then coalesce(data->>'sku', substr(stream, strpos(stream, ':') + 1))
      else substr(stream, strpos(stream, ':') + 1)
    end as subject,
    data->>'orderId' as order_id,
    case topic when 'shops' then data->>'id' else data->>'shopId' end as shop_id
  ) named
) linked
on conflict (position) do nothing`,
};
