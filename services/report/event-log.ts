// Every event of the system, once: the table `events`, which only grows, in an order that readers can rely on.
import type { Message } from '#kit/events/message';
import type { Database } from '#kit/views/database';

/** Where a stream stands in the log. */
export interface Head {
  /** The last version that is recorded; 0 for none. */
  readonly version: number;
  /** The version that cannot be recorded, so that nothing after it is. */
  readonly parked: { readonly version: number; readonly reason: string } | undefined;
}

/** A stream that waits for repair. */
export interface ParkedStream {
  readonly topic: string;
  readonly source: string;
  readonly stream: string;
  readonly version: number;
  readonly reason: string;
}

/** Any number will do, as long as it is ours alone in this database: whoever appends holds it until the commit. */
export const APPENDING = 7_353;
/** Bytes of events in one statement: daprd takes bodies up to 4 MiB, and the JSON is escaped on its way. */
const MOST_BYTES = 1024 * 1024;

const schemaOf = (events: string, parked: string) => `
create table if not exists ${events} (
  position bigint generated always as identity primary key,
  id uuid not null unique,
  topic text not null,
  source text not null,
  stream text not null,
  version integer not null check (version > 0),
  type text not null,
  schema_version integer not null,
  at timestamptz not null,
  actor text not null,
  correlation_id text not null,
  causation_id text not null,
  traceparent text not null,
  data jsonb not null,
  unique (stream, version)
);
create table if not exists ${parked} (
  stream text primary key,
  topic text not null,
  source text not null,
  version integer not null,
  reason text not null,
  since timestamptz not null default now()
);
create or replace function refuse_change() returns trigger language plpgsql as $$
begin raise exception 'the table % only grows', tg_table_name; end $$;
create or replace trigger ${events}_only_grow before update or delete or truncate on ${events}
  for each statement execute function refuse_change()`;

/** All columns but the position. */
export const COLUMNS =
  'id, topic, source, stream, version, type, schema_version, at, actor, correlation_id, causation_id, traceparent, data';

/**
 * One statement: all rows or none. The lock is taken before the first position is drawn, so positions are committed in
 * their order and a reader that has seen one has seen all below it. A version whose predecessor is neither here nor
 * among the fresh rows ends the statement by a cast that fails: SQL has no other way to raise an error.
 */
const appendTo = (events: string) => `
with turn as materialized (select pg_advisory_xact_lock(${APPENDING})),
fresh as (
  select *, lag(version) over (partition by stream order by version) as before
  from jsonb_to_recordset($1::jsonb) as given(n integer, id uuid, topic text, source text, stream text,
    version integer, type text, schema_version integer, at timestamptz, actor text, correlation_id text,
    causation_id text, traceparent text, data jsonb)
)
insert into ${events} (${COLUMNS})
select ${COLUMNS} from turn, fresh
where case
  when version = 1 or before = version - 1 then true
  when exists (select from ${events} known where known.stream = fresh.stream and known.version = fresh.version - 1) then true
  else ('a jump in ' || stream || ' to ' || version)::boolean
end
order by n`;

export class EventLog {
  readonly database: Database;
  readonly #events: string;
  readonly #parked: string;
  readonly #append: string;

  /** `table`: that of the live log unless told. */
  constructor(database: Database, table = 'events') {
    this.database = database;
    this.#events = table;
    this.#parked = table === 'events' ? 'parked_streams' : `${table}_parked`;
    this.#append = appendTo(table);
  }

  /** Creates what is missing. */
  async create(): Promise<void> {
    await this.database.exec(`select pg_advisory_xact_lock(${APPENDING}); ${schemaOf(this.#events, this.#parked)}`);
  }

  /** The heads of streams; every stream that was asked for is in the answer. @throws {Fault} */
  async heads(streams: Iterable<string>): Promise<Map<string, Head>> {
    const rows = await this.database.query<{ stream: string; version: number; parked: Head['parked'] | null }>(
      `select asked.stream, case when parked.stream is not null then
           json_build_object('version', parked.version, 'reason', parked.reason) end as parked,
         coalesce((select max(version) from ${this.#events} known where known.stream = asked.stream), 0) as version
       from jsonb_array_elements_text($1::jsonb) as asked(stream) left join ${this.#parked} parked using (stream)`,
      [[...new Set(streams)]],
    );
    return new Map(rows.map(({ stream, version, parked }) => [stream, { version, parked: parked ?? undefined }]));
  }

  /**
   * Appends events, all or none: each must be the next of its stream. Together at most {@link batches} allows.
   * @throws {ValuesRefused} known already, not contiguous, not storable
   * @throws {Fault} the database cannot take it now
   */
  async append(messages: readonly Message[]): Promise<void> {
    const rows = messages.map((message, n) => ({
      n,
      id: message.id,
      topic: message.topic,
      source: message.source,
      stream: message.stream,
      version: message.version,
      type: message.type,
      schema_version: message.schemaVersion,
      at: message.at,
      actor: message.actor,
      correlation_id: message.correlationId,
      causation_id: message.causationId,
      traceparent: message.traceparent,
      data: message.data,
    }));
    // As text, which daprd hands on as it is: half its cost, and every number exact.
    await this.database.exec(this.#append, [JSON.stringify(rows)]);
  }

  /** Keeps a stream out of the log from a version on, until it is repaired. */
  async park({ stream, topic, source, version, reason }: ParkedStream): Promise<void> {
    await this.database.exec(
      `insert into ${this.#parked} (stream, topic, source, version, reason) values ($1, $2, $3, $4, $5)
       on conflict (stream) do update set version = excluded.version, reason = excluded.reason`,
      [stream, topic, source, version, reason],
    );
  }

  async unpark(stream: string): Promise<void> {
    await this.database.exec(`delete from ${this.#parked} where stream = $1`, [stream]);
  }

  /** The streams that are parked, oldest first, at most a hundred. */
  parked(): Promise<ParkedStream[]> {
    return this.database.query<ParkedStream>(
      `select topic, source, stream, version, reason from ${this.#parked} order by since, stream limit 100`,
    );
  }

  /** The highest position; 0 while the log is empty. */
  async position(): Promise<number> {
    const [row] = await this.database.query<{ position: number }>(
      `select coalesce(max(position), 0) as position from ${this.#events}`,
    );
    return row?.position ?? 0;
  }

  /** True if the database takes statements. */
  async answers(): Promise<boolean> {
    return this.database.query('select 1 as one').then(
      () => true,
      () => false,
    );
  }
}

/** Cuts a list into parts that one statement can carry. An item that is too large alone is a part of its own. */
export function batches<T extends { readonly message: Message }>(items: readonly T[]): T[][] {
  const parts: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const size = JSON.stringify(item.message).length;
    if (bytes + size > MOST_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(item);
    bytes += size;
  }
  return parts;
}
