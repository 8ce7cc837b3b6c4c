// What nobody could handle, of every app: the table `dead_letters`, for counting and for repair.
import type { DeadLetter } from '#kit/dapr/dead-letters';
import { idOf } from '#kit/ids';
import type { Database } from '#kit/views/database';

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
)`;

/** How many letters one app has for one topic. */
export interface DeadLetterCount {
  readonly topic: string;
  readonly app: string;
  readonly count: number;
}

export class DeadLetterBook {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Creates what is missing. */
  create(): Promise<number> {
    return this.#database.exec(SCHEMA);
  }

  /** Keeps a letter once: the same event given up by the same app is one letter, however often it was buried. */
  async keep(letter: DeadLetter): Promise<void> {
    const { topic, appId, reason, attempts, eventId, stream, version, body } = letter;
    const base64 = body.toString('base64');
    await this.#database.exec(
      `insert into dead_letters (id, topic, app_id, reason, attempts, event_id, stream, version, body)
       values ($1, $2, $3, $4, $5, $6, $7, $8, decode($9, 'base64')) on conflict (id) do nothing`,
      [
        idOf(topic, appId, eventId ?? base64),
        ...[topic, appId, storable(reason), attempts],
        ...[eventId && storable(eventId), stream && storable(stream), version].map((part) => part ?? null),
        base64,
      ],
    );
  }

  /** Counts by topic and app, in their order. */
  counts(): Promise<DeadLetterCount[]> {
    return this.#database.query<DeadLetterCount>(
      `select topic, app_id as app, count(*) as count from dead_letters group by topic, app_id
       order by topic collate "C", app_id collate "C"`,
    );
  }
}

/** A letter may hold anything, PostgreSQL's text no NUL. */
function storable(text: string): string {
  return text.replaceAll('\0', '\u{FFFD}');
}
