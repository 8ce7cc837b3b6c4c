// The log of events heard anew from the topics, compared with the live one and put in its place.
import { LETTERS } from './dead-letter-book.ts';
import { APPENDING, COLUMNS } from './event-log.ts';

/** What is heard anew. */
export const HEARD = 'events_heard';
const REBUILT = 'events_rebuilt';

/** How both logs compare. Acts on dead letters are in no topic: they are not counted. */
export const COMPARISON = `
select count(*) filter (where heard.id is not null) as heard,
  count(*) filter (where live.id is not null) as live,
  count(*) filter (where heard.id is null) as missing,
  count(*) filter (where live.id is null) as found,
  count(*) filter (where heard.id <> live.id or heard.type <> live.type or heard.data <> live.data
    or heard.actor <> live.actor or heard.at <> live.at) as changed
from (select * from events where topic <> '${LETTERS}') live full join ${HEARD} heard using (stream, version)`;

/** Count and hash over what happened, whatever its positions. */
function summaryOf(table: string): string {
  return `select count(*) as rows, md5(count(*) || ':' || coalesce(sum(('x' || left(md5(
      jsonb_build_array(stream, version, id, type, at, actor, data)::text), 16))::bit(64)::bigint::numeric), 0)) as hash
    from ${table}`;
}

const prefixed = (table: string) =>
  COLUMNS.split(',')
    .map((column) => `${table}.${column.trim()}`)
    .join(', ');

/**
 * Several statements, all or nothing. Nobody appends meanwhile; who reads waits for the exchange itself. An event that the
 * live log had keeps its position, so that views and the chain of the audit go on where they are, and says what the topic
 * says. One that no topic has any more is kept. One that the live log lacked comes at the end. What it found is in
 * `view_rebuilds`, as of a view.
 */
export const EXCHANGE = `
select pg_advisory_xact_lock(${APPENDING});
drop table if exists ${REBUILT};
create table ${REBUILT} (like events including defaults including constraints including identity including indexes);
insert into ${REBUILT} (position, ${COLUMNS}) overriding system value
  select live.position, ${prefixed('heard')} from events live join ${HEARD} heard using (stream, version)
  union all
  select live.position, ${prefixed('live')} from events live
  where not exists (select from ${HEARD} heard where heard.stream = live.stream and heard.version = live.version);
select setval(pg_get_serial_sequence('${REBUILT}', 'position'), greatest(1, (select max(position) from ${REBUILT})));
insert into ${REBUILT} (${COLUMNS})
  select ${COLUMNS} from ${HEARD} heard
  where not exists (select from events live where live.stream = heard.stream and live.version = heard.version)
  order by heard.position;
do $exchange$
declare own record; other record; known text;
begin
  ${summaryOf(REBUILT).replace(' from', ' into own from')};
  ${summaryOf('events').replace(' from', ' into other from')};
  insert into view_rebuilds (view, id, state, actor, started_at, finished_at, position, rows, hash, live_rows, live_hash, beat)
    select 'events', gen_random_uuid(), 'done', 'app:report-relisten', now(), clock_timestamp(), max(position),
      own.rows, own.hash, other.rows, other.hash, now() from ${REBUILT}
    on conflict (view) do update set id = excluded.id, state = 'done', actor = excluded.actor,
      started_at = excluded.started_at, finished_at = excluded.finished_at, position = excluded.position,
      rows = excluded.rows, hash = excluded.hash, live_rows = excluded.live_rows, live_hash = excluded.live_hash;
  drop table events;
  alter table ${REBUILT} rename to events;
  for known in select indexname from pg_indexes where schemaname = current_schema() and tablename = 'events' loop
    execute format('alter index %I rename to %I', known, replace(known, '${REBUILT}', 'events'));
  end loop;
  create trigger events_only_grow before update or delete or truncate on events
    for each statement execute function refuse_change();
  drop table ${HEARD};
  drop table ${HEARD}_parked;
end $exchange$`;
