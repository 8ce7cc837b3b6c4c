// How views read the log: one statement takes the next events, folds them into the tables of every view that stands at the
// same place, and moves their checkpoints with them.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Database, ValuesRefused } from '#kit/views/database';

/** What a view keeps and how it is computed. Its table's name is given, so that it can be built beside the live one. */
export interface ViewDefinition {
  readonly name: string;
  readonly table: string;
  /** Statements that create the table and its indexes, `if not exists`; names of indexes begin with the table's. */
  create(table: string): string;
  /**
   * A CTE's body that writes what the events in `page` (columns as `events`, in no order) mean. Told the same events
   * again, alone or among others, it must change nothing.
   */
  fold(table: string, page: string): string;
  /** Of a view whose rows are too many to be summed by every question. */
  readonly sums?: Sums;
}

/** A second table of a view, moved by exactly what a fold changed in the first; its name is {@link sumsOf}. */
export interface Sums {
  /** Statements that create the table and its indexes, `if not exists`. */
  create(sums: string): string;
  /** A CTE's body that adds what `changes` says: the rows that the view's `fold` returns. */
  add(sums: string, changes: string): string;
  /** Changes that lead from nothing to what the view's table holds: a query. */
  all(table: string): string;
}

/** A view's table with the checkpoint that says how far it is: the live one, or one that is being rebuilt. */
export interface Place {
  readonly definition: ViewDefinition;
  readonly table: string;
  /** The name in `view_checkpoints`. */
  readonly checkpoint: string;
  /** A checkpoint that this one may not pass. */
  readonly behind?: string;
}

/** The table of a view's sums. */
export function sumsOf(table: string): string {
  return `${table}_sums`;
}

/** All tables of a view. */
export function tablesOf({ definition, table }: Place): string[] {
  return definition.sums ? [table, sumsOf(table)] : [table];
}

const TRIES = 3;

const SCHEMA = `
create table if not exists view_checkpoints (view text primary key, position bigint not null);
create table if not exists view_skips (
  view text not null,
  position bigint not null,
  reason text not null,
  primary key (view, position)
)`;

/** Statements that create what is missing of a view; a new one begins at the first event. */
export function creationOf({ definition, table, checkpoint }: Place): string {
  return `select pg_advisory_xact_lock(7354); ${SCHEMA}; ${definition.create(table)};
    ${definition.sums ? sumsCreation(definition.sums, table) : ''}
    insert into view_checkpoints (view, position) values ('${checkpoint}', 0) on conflict (view) do nothing`;
}

/** Sums that a later release adds to a view begin with what the view holds; nobody folds meanwhile. */
function sumsCreation(sums: Sums, table: string): string {
  const name = sumsOf(table);
  return `do $sums$ begin
    if to_regclass('${name}') is null then
      lock table ${table} in share row exclusive mode;
      ${sums.create(name)};
      ${sums.add(name, `(${sums.all(table)})`)};
    end if;
  end $sums$;`;
}

/**
 * The statement that folds the next `$1` events and answers as many rows. It takes none when the views do not all stand
 * at the same place. `next` reads the index alone; each view then touches only the events that it asks for.
 */
export function foldOf(places: readonly Place[]): string {
  const names = places.map(({ checkpoint }) => `'${checkpoint}'`).join(', ');
  const limits = places.flatMap(({ behind }) => (behind ? [`'${behind}'`] : [])).join(', ');
  const folded = places.flatMap(({ definition, table }, n) => [
    // Bounds as values, not as a join: a plan that walks all events and joins them to one row is no plan at all.
    `page_${n} as not materialized (
      select events.* from events where position between (select low from bounds) and (select high from bounds)
    )`,
    `folded_${n} as (${definition.fold(table, `page_${n}`)})`,
    ...(definition.sums ? [`summed_${n} as (${definition.sums.add(sumsOf(table), `folded_${n}`)})`] : []),
  ]);
  return `with stand as materialized (select min(position) as low, max(position) as high from view_checkpoints where view in (${names})),
    next as materialized (
      select position from events where position > (select case when low = high then low end from stand)
      ${limits && `and position <= (select min(position) from view_checkpoints where view in (${limits}))`}
      order by position limit $1::int
    ),
    bounds as materialized (select min(position) as low, max(position) as high from next),
    ${folded.join(',\n    ')},
    moved as (update view_checkpoints set position = high from bounds where view in (${names}) and position < high)
    select from next`;
}

export class Folding {
  readonly #database: Database;
  readonly #log: Logger;

  constructor(database: Database, log: Logger) {
    this.#database = database;
    this.#log = log;
  }

  create(place: Place): Promise<number> {
    return this.#database.exec(creationOf(place));
  }

  /** Folds the next events, at most so many. False if there are no more. @throws {Fault} the database is out of reach */
  async advance(places: readonly Place[], most: number): Promise<boolean> {
    try {
      const taken = await this.#database.exec(foldOf(places), [most]);
      if (taken > 0 || places.length === 1) return taken === most;
      if (await this.#even(places)) return false;
    } catch (error) {
      if (!(error instanceof ValuesRefused)) throw error;
      if (places.length === 1) return this.#oneByOne(places[0] as Place, most, error);
    }
    for (const place of places) while (await this.advance([place], most));
    return true;
  }

  /** Positions between the end of the log and each checkpoint: at least as many as there are events to come. */
  async behind(places: readonly Place[]): Promise<Map<string, number>> {
    const rows = await this.#database.query<{ view: string; behind: number }>(
      `select view, greatest(0, (select coalesce(max(position), 0) from events) - position) as behind
       from view_checkpoints where view = any($1::text[])`,
      [places.map(({ checkpoint }) => checkpoint)],
    );
    return new Map(rows.map(({ view, behind }) => [view, behind]));
  }

  async #even(places: readonly Place[]): Promise<boolean> {
    return new Set((await this.behind(places)).values()).size < 2;
  }

  async #oneByOne(place: Place, most: number, error: unknown): Promise<boolean> {
    const view = place.checkpoint;
    this.#log.warn({ err: error, view }, 'a page could not be folded: taking its events one by one');
    for (let taken = 0; taken < most; taken += 1) if (!(await this.#one(place))) return false;
    return true;
  }

  /** Folds one event; one that can never be folded is left out, on record, or the view would stand for ever. */
  async #one(place: Place): Promise<boolean> {
    const view = place.checkpoint;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await this.#database.exec(foldOf([place]), [1])) === 1;
      } catch (error) {
        if (!(error instanceof ValuesRefused)) throw error;
        if (attempt === TRIES) {
          this.#log.error({ err: error, view }, 'an event cannot be folded: it is left out of the view');
          await this.#skip(view, (error as Error).message);
          return true;
        }
        await pause(100);
      }
    }
  }

  async #skip(view: string, reason: string): Promise<void> {
    await this.#database.exec(
      `with next as (
         select min(position) as position from events
         where position > (select position from view_checkpoints where view = $1)
       ),
       skipped as (
         insert into view_skips (view, position, reason) select $1, position, $2 from next on conflict do nothing
       )
       update view_checkpoints set position = next.position from next where view = $1`,
      [view, reason.slice(0, 500)],
    );
  }
}
