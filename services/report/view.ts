// A view over the event log: a cursor that folds events into a table, its checkpoint in the same statement.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Database, ValuesRefused } from '#kit/views/database';

/** What a view keeps and how it is computed. Its table's name is given, so that it can be built beside the live one. */
export interface ViewDefinition {
  readonly name: string;
  readonly table: string;
  /** Statements that create the table and its indexes, `if not exists`. */
  create(table: string): string;
  /**
   * A CTE's body that writes what the events in `page` (columns as `events`, in no order) mean. Told the same events
   * again, alone or among others, it must change nothing.
   */
  fold(table: string): string;
}

/** Events that one statement takes. */
const PAGE = 500;
/** Milliseconds that a wish to go on may wait for others. */
const GATHER = 250;
const TRIES = 3;

const SCHEMA = `
create table if not exists view_checkpoints (view text primary key, position bigint not null);
create table if not exists view_skips (
  view text not null,
  position bigint not null,
  reason text not null,
  primary key (view, position)
)`;

export class View {
  readonly definition: ViewDefinition;
  readonly #database: Database;
  readonly #log: Logger;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(database: Database, definition: ViewDefinition, log: Logger) {
    this.#database = database;
    this.definition = definition;
    this.#log = log;
  }

  /** Creates what is missing and goes on from the checkpoint. */
  async create(): Promise<void> {
    await this.#createAs(this.definition.table, this.definition.name);
    this.wake();
  }

  /** Folds what is new, soon. What fails is tried again until it succeeds. */
  wake(after = GATHER): void {
    if (this.#timer || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.catchUp().catch((error) => {
        this.#log.warn({ err: error, view: this.definition.name }, 'a view cannot go on now');
        this.wake(1_000);
      });
    }, after);
    this.#timer.unref();
  }

  /** Folds until nothing is new. @throws {Fault} the database is out of reach */
  catchUp(): Promise<void> {
    return this.#inTurn(() => this.#catchUp(this.definition.table, this.definition.name));
  }

  /** Positions between the end of the log and the checkpoint: at least as many as there are events to come. */
  async behind(): Promise<number> {
    const [row] = await this.#database.query<{ behind: number }>(
      `select (select coalesce(max(position), 0) from events) - position as behind from view_checkpoints where view = $1`,
      [this.definition.name],
    );
    return Math.max(0, row?.behind ?? 0);
  }

  /** Builds the view anew from the first event, beside the live one, and puts it in its place. */
  async rebuild(): Promise<void> {
    const { table, name } = this.definition;
    const shadow = `${table}_rebuilt`;
    const checkpoint = `${name}:rebuild`;
    await this.#database.exec(
      `drop table if exists ${shadow}; delete from view_checkpoints where view = '${checkpoint}'; delete from view_skips where view = '${checkpoint}'`,
    );
    await this.#createAs(shadow, checkpoint);
    await this.#catchUp(shadow, checkpoint);
    await this.#inTurn(() =>
      this.#database.exec(
        `drop table ${table}; alter table ${shadow} rename to ${table};
         update view_checkpoints set position = (select position from view_checkpoints where view = '${checkpoint}') where view = '${name}';
         delete from view_checkpoints where view = '${checkpoint}';
         delete from view_skips where view = '${name}';
         update view_skips set view = '${name}' where view = '${checkpoint}'`,
      ),
    );
    this.wake();
  }

  /** Ends the cursor after the statement under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  async #createAs(table: string, checkpoint: string): Promise<void> {
    await this.#database.exec(
      `select pg_advisory_xact_lock(7354); ${SCHEMA}; ${this.definition.create(table)};
       insert into view_checkpoints (view, position) values ('${checkpoint}', 0) on conflict (view) do nothing`,
    );
  }

  async #catchUp(table: string, checkpoint: string): Promise<void> {
    while (!this.#stopped && (await this.#advance(table, checkpoint)));
  }

  /** Folds one page; false if it was the last. */
  async #advance(table: string, checkpoint: string): Promise<boolean> {
    try {
      return (await this.#fold(table, checkpoint, PAGE)) === PAGE;
    } catch (error) {
      if (!(error instanceof ValuesRefused)) throw error;
      this.#log.warn({ err: error, view: checkpoint }, 'a page could not be folded: taking its events one by one');
    }
    for (let taken = 0; taken < PAGE; taken += 1) if (!(await this.#foldOne(table, checkpoint))) return false;
    return true;
  }

  /** Folds one event; one that can never be folded is left out, on record, or the view would stand for ever. */
  async #foldOne(table: string, checkpoint: string): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await this.#fold(table, checkpoint, 1)) === 1;
      } catch (error) {
        if (!(error instanceof ValuesRefused)) throw error;
        if (attempt === TRIES) {
          this.#log.error({ err: error, view: checkpoint }, 'an event cannot be folded: it is left out of the view');
          await this.#skip(checkpoint, (error as Error).message);
          return true;
        }
        await pause(100);
      }
    }
  }

  /** Answers how many events it took. */
  #fold(table: string, checkpoint: string, most: number): Promise<number> {
    // `next` reads the index alone; `page` then touches only the events that the view asks for.
    return this.#database.exec(
      `with next as materialized (
         select position from events
         where position > (select position from view_checkpoints where view = $1) order by position limit $2
       ),
       bounds as materialized (select min(position) as low, max(position) as high from next),
       page as (select events.* from events, bounds where position between low and high),
       folded as (${this.definition.fold(table)}),
       moved as (update view_checkpoints set position = high from bounds where view = $1 and position < high)
       select from next`,
      [checkpoint, most],
    );
  }

  async #skip(checkpoint: string, reason: string): Promise<void> {
    await this.#database.exec(
      `with next as (
         select min(position) as position from events
         where position > (select position from view_checkpoints where view = $1)
       ),
       skipped as (
         insert into view_skips (view, position, reason) select $1, position, $2 from next on conflict do nothing
       )
       update view_checkpoints set position = next.position from next where view = $1`,
      [checkpoint, reason.slice(0, 500)],
    );
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(run);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
