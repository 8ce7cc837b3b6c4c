// What nobody could handle, of every app: the table `dead_letters`, for counting and for repair. Letters stay when they
// are settled, and every act of staff stays beside them.
import type { DeadLetter } from '#kit/dapr/dead-letters';
import { idOf } from '#kit/ids';
import type { Database, Param } from '#kit/views/database';
import { APPENDING } from './event-log.ts';

/** In the log, where the topic of an event stands: acts of staff are nobody's messages. */
export const LETTERS = 'dead-letters';

const SCHEMA = `
create table if not exists dead_letters (
  id uuid primary key,
  topic text not null,
  app_id text not null,
  reason text not null,
  attempts integer not null,
  event_id text,
  stream text,
  version bigint,
  body bytea not null,
  received_at timestamptz not null default now()
);
alter table dead_letters add column if not exists detail text;
alter table dead_letters add column if not exists status text not null default 'open';
alter table dead_letters add column if not exists acts integer not null default 0;
create index if not exists dead_letters_open on dead_letters (app_id, stream, version) where status = 'open';
create table if not exists dead_letter_acts (
  position bigint generated always as identity primary key,
  letter uuid not null references dead_letters,
  act text not null,
  outcome text not null,
  actor text not null,
  reason text not null,
  correlation_id text not null,
  at timestamptz not null default now()
);
create index if not exists dead_letter_acts_of on dead_letter_acts (letter, position);
create or replace function refuse_change() returns trigger language plpgsql as $$
begin raise exception 'the table % only grows', tg_table_name; end $$;
create or replace trigger dead_letter_acts_only_grow before update or delete or truncate on dead_letter_acts
  for each statement execute function refuse_change()`;

const COLUMNS = `id, topic, app_id as app, reason, detail, attempts, event_id as "eventId", stream, version, status,
  received_at as "receivedAt"`;

/** The lock is taken first, as by everyone who appends to the log. The acts of a letter are the versions of its stream. */
const SETTLE = `
with turn as materialized (select pg_advisory_xact_lock(${APPENDING})),
settled as (
  update dead_letters set status = $2, acts = acts + 1, attempts = attempts + $3::text::integer,
    reason = coalesce($4, reason), detail = coalesce($5, detail)
  from turn where id = $1::text::uuid and status = 'open' returning dead_letters.*
),
acted as (
  insert into dead_letter_acts (letter, act, outcome, actor, reason, correlation_id)
  select id, $6, $7, $8, $9, $10 from settled
)
insert into events (id, topic, source, stream, version, type, schema_version, at, actor, correlation_id, causation_id,
  traceparent, data)
select gen_random_uuid(), '${LETTERS}', 'report', 'dead-letter:' || id, acts, 'dead-letter.' || $7, 1, now(), $8, $10,
  coalesce(event_id, id::text), '', jsonb_build_object('id', id, 'topic', topic, 'app', app_id, 'stream', stream,
    'version', version, 'status', status, 'attempts', attempts, 'reason', reason, 'comment', $9)
from settled`;

/** How many letters one app has for one topic. */
export interface DeadLetterCount {
  readonly topic: string;
  readonly app: string;
  readonly count: number;
}

export type LetterStatus = 'open' | 'replayed' | 'discarded';

export interface Letter {
  readonly id: string;
  readonly topic: string;
  /** Who gave it up. */
  readonly app: string;
  readonly reason: string;
  readonly detail: string | null;
  /** Tries before it was buried, and every replay since. */
  readonly attempts: number;
  readonly eventId: string | null;
  readonly stream: string | null;
  readonly version: number | null;
  readonly status: LetterStatus;
  readonly receivedAt: string;
}

/** Something that staff did with a letter: what came of it, who did it and why. */
export interface Act {
  readonly act: 'replay' | 'discard';
  readonly outcome: 'replayed' | 'refused' | 'discarded';
  readonly actor: string;
  readonly reason: string;
  readonly correlationId: string;
  readonly at: string;
}

export interface LetterFilter {
  readonly status: LetterStatus;
  readonly topic?: string | undefined;
  readonly app?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

export class DeadLetterBook {
  readonly #database: Database;
  readonly #recorded: () => void;

  /** `recorded` is called after an act of staff became an event of the log. */
  constructor(database: Database, recorded: () => void = () => undefined) {
    this.#database = database;
    this.#recorded = recorded;
  }

  /** Creates what is missing. */
  create(): Promise<number> {
    return this.#database.exec(SCHEMA);
  }

  /** Keeps a letter once: the same event given up by the same app is one letter, however often it was buried. */
  async keep(letter: DeadLetter): Promise<void> {
    const { topic, appId, reason, detail, attempts, eventId, stream, version, body } = letter;
    const base64 = body.toString('base64');
    await this.#database.exec(
      `insert into dead_letters (id, topic, app_id, reason, attempts, event_id, stream, version, detail, body)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, decode($10, 'base64')) on conflict (id) do nothing`,
      [
        idOf(topic, appId, eventId ?? base64),
        ...[topic, appId, storable(reason), attempts],
        ...[eventId && storable(eventId), stream && storable(stream), version, detail && storable(detail)].map(
          (part) => part ?? null,
        ),
        base64,
      ],
    );
  }

  /** Counts of open letters by topic and app, in their order. */
  counts(): Promise<DeadLetterCount[]> {
    return this.#database.query<DeadLetterCount>(
      `select topic, app_id as app, count(*) as count from dead_letters where status = 'open' group by topic, app_id
       order by topic collate "C", app_id collate "C"`,
    );
  }

  /** Letters by id, after one. */
  find({ status, topic, app, after, limit }: LetterFilter): Promise<Letter[]> {
    return this.#database.query<Letter>(
      `select ${COLUMNS} from dead_letters where status = $1 and ($2::text is null or topic = $2)
       and ($3::text is null or app_id = $3) and ($4::text is null or id > $4::text::uuid) order by id limit $5::text::integer`,
      [status, topic ?? null, app ?? null, after ?? null, String(limit)],
    );
  }

  /** Open letters of an app and topic (of all, without), each stream in the order of its versions. */
  inOrder(filter: { readonly topic?: string | undefined; readonly app?: string | undefined }): Promise<Letter[]> {
    return this.#database.query<Letter>(
      `select ${COLUMNS} from dead_letters where status = 'open' and ($1::text is null or topic = $1)
       and ($2::text is null or app_id = $2) order by app_id, stream, version, received_at, id limit 100`,
      [filter.topic ?? null, filter.app ?? null],
    );
  }

  /** A letter with its bytes and what was done with it, oldest first. */
  async read(id: string): Promise<{ letter: Letter; body: Buffer; acts: readonly Act[] } | undefined> {
    const [row] = await this.#database.query<Letter & { body: string }>(
      `select ${COLUMNS}, encode(body, 'base64') as body from dead_letters where id = $1::text::uuid`,
      [id],
    );
    if (!row) return undefined;
    const { body, ...letter } = row;
    const acts = await this.#database.query<Act>(
      `select act, outcome, actor, reason, correlation_id as "correlationId", at from dead_letter_acts
       where letter = $1::text::uuid order by position limit 1000`,
      [id],
    );
    return { letter, body: Buffer.from(body, 'base64'), acts };
  }

  /** The open letter of an earlier version of the same stream, given up by the same app. */
  async earlier({ id, app, topic, stream, version }: Letter): Promise<string | undefined> {
    if (stream === null || version === null) return undefined;
    const params: Param[] = [app, topic, stream, String(version), id];
    const [row] = await this.#database.query<{ id: string }>(
      `select id from dead_letters where status = 'open' and app_id = $1 and topic = $2 and stream = $3
       and version < $4::text::bigint and id <> $5::text::uuid order by version limit 1`,
      params,
    );
    return row?.id;
  }

  /**
   * Writes down what was done with an open letter, and what came of it, in one statement: in the letter, among its acts,
   * and as an event of the log, so that the audit has it. False: it was settled before.
   */
  async settle(
    { id }: Letter,
    act: Omit<Act, 'at'>,
    found: { readonly reason: string; readonly detail?: string | undefined } | undefined = undefined,
  ): Promise<boolean> {
    const status: LetterStatus = act.outcome === 'refused' ? 'open' : act.outcome;
    const rows = await this.#database.exec(SETTLE, [
      ...[id, status, act.act === 'replay' ? '1' : '0', found?.reason ?? null, found?.detail ?? null],
      ...[act.act, act.outcome, act.actor, act.reason, act.correlationId],
    ]);
    if (rows > 0) this.#recorded();
    return rows > 0;
  }
}

/** A letter may hold anything, PostgreSQL's text no NUL. */
function storable(text: string): string {
  return text.replaceAll('\0', '\u{FFFD}');
}
