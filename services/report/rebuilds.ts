// Views built anew from the first event, beside those that people read. What is under way stands in the database, so that
// any replica goes on with it: it survives whoever began it.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Refusal, refuse } from '#kit/errors';
import { type Database, ValuesRefused } from '#kit/views/database';
import { Folding, type Place, type ViewDefinition } from './folding.ts';
import { liveOf } from './live-views.ts';
import { exchangeOf, shadowOf } from './rebuild-sql.ts';

/** Events that one statement takes: large, since nobody waits for a row of it. */
const PAGE = 5_000;
/** Milliseconds between two looks for work that another replica left. */
const LOOK = 5_000;
/** The exchange makes writers wait: it begins when not more than so many events are missing. */
const NEAR = 2 * PAGE;
/** Milliseconds that the exchange may take: some seconds for a million rows. */
const EXCHANGE = 240_000;

const SCHEMA = `
create table if not exists view_rebuilds (
  view text primary key,
  id uuid not null,
  state text not null check (state in ('running', 'done')),
  actor text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  position bigint,
  rows bigint,
  hash text,
  live_rows bigint,
  live_hash text,
  holder text,
  beat timestamptz not null
)`;

/** How a rebuild stands. The figures of rows are those of the moment of the exchange. */
export interface Progress {
  readonly view: string;
  readonly id: string;
  readonly state: 'running' | 'done';
  readonly startedAt: string;
  readonly finishedAt: string | null;
  /** The last event that is in the new table, and the last there is. */
  readonly position: number;
  readonly end: number;
  readonly rows: number | null;
  readonly hash: string | null;
  readonly liveRows: number | null;
  readonly liveHash: string | null;
  /** Events that no row could be made of. */
  readonly skipped: number;
}

export class Rebuilds {
  readonly #database: Database;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #folding: Folding;
  readonly #log: Logger;
  /** This process, among those that may hold a rebuild. */
  readonly #me = randomUUID();
  #timer: NodeJS.Timeout | undefined;
  /** When it looks next, on the process's own clock. */
  #due = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(database: Database, definitions: readonly ViewDefinition[], log: Logger) {
    this.#database = database;
    this.#places = new Map(definitions.map((definition) => [definition.name, liveOf(definition)]));
    this.#folding = new Folding(database, log);
    this.#log = log;
  }

  get views(): readonly string[] {
    return [...this.#places.keys()];
  }

  /** Creates what is missing and goes on with what was left. */
  async create(): Promise<void> {
    await this.#database.exec(`select pg_advisory_xact_lock(7355); ${SCHEMA}`);
    this.#wake(0);
  }

  /** Begins. Refuses with NOT_FOUND, or REBUILD_RUNNING while one of this view is under way. @throws {Fault} */
  async start(view: string, actor: string): Promise<Progress | Refusal> {
    const live = this.#places.get(view);
    if (!live) return refuse('NOT_FOUND');
    const begun = await this.#database.exec(
      `insert into view_rebuilds (view, id, state, actor, started_at, beat) values ($1, $2, 'running', $3, now(), 'epoch')
       on conflict (view) do update set id = excluded.id, state = 'running', actor = excluded.actor,
         started_at = now(), finished_at = null, position = null, rows = null, hash = null, live_rows = null,
         live_hash = null, holder = null, beat = 'epoch'
       where view_rebuilds.state <> 'running'`,
      [view, randomUUID(), actor],
    );
    if (begun === 0) return refuse('REBUILD_RUNNING', { view });
    this.#log.info({ view, actor }, 'a view is being rebuilt');
    this.#wake(0);
    return (await this.progress(view)) as Progress;
  }

  /** The rebuild under way, else the last one; undefined: there was none. @throws {Fault} */
  async progress(view: string): Promise<Progress | undefined> {
    const [row] = await this.#database.query<Progress>(
      `select view, id, state, started_at as "startedAt", finished_at as "finishedAt", rows, hash,
         live_rows as "liveRows", live_hash as "liveHash",
         coalesce(position, (select position from view_checkpoints where view = $1 || ':rebuild'), 0) as position,
         (select coalesce(max(events.position), 0) from events) as "end",
         (select count(*) from view_skips where view_skips.view = $1 || case state when 'done' then '' else ':rebuild' end) as skipped
       from view_rebuilds where view = $1`,
      [view],
    );
    return row;
  }

  /** Leaves what is under way after the statement of now: whoever comes next goes on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  /** Looks for work, soon; a look that is due sooner stays. */
  #wake(after: number): void {
    const due = performance.now() + after;
    if (this.#stopped || (this.#timer && this.#due <= due)) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#turn = this.#turn
        .then(() => this.#work())
        .catch((error) => this.#log.warn({ err: error }, 'a rebuild cannot go on now'))
        .then(() => this.#wake(LOOK));
    }, after);
    this.#timer.unref();
  }

  async #work(): Promise<void> {
    const running = await this.#database.query<{ view: string }>(
      `select view from view_rebuilds where state = 'running'`,
    );
    for (const { view } of running) {
      const live = this.#places.get(view);
      if (live && (await this.#hold(view))) await this.#build(live, shadowOf(live));
    }
  }

  /** True if it is ours to do: nobody else's, or of one who has not been heard of for ten seconds. */
  async #hold(view: string): Promise<boolean> {
    const held = await this.#database.exec(
      `update view_rebuilds set holder = $2, beat = now() where view = $1 and state = 'running'
         and (holder = $2 or beat < now() - interval '10 seconds')`,
      [view, this.#me],
    );
    return held === 1;
  }

  async #build(live: Place, shadow: Place): Promise<void> {
    const { name } = live.definition;
    await this.#folding.create(shadow);
    for (;;) {
      const more = await this.#folding.advance([shadow], PAGE);
      if (this.#stopped || !(await this.#hold(name))) return;
      if (!more && (await this.#near(live, shadow))) break;
    }
    try {
      await this.#exchange(live, shadow);
    } catch (error) {
      // An event of the last moments that cannot be folded: it is left out by the next round, as always.
      if (!(error instanceof ValuesRefused)) throw error;
      this.#log.warn({ err: error, view: name }, 'a view could not be exchanged');
      return;
    }
    this.#log.info({ view: name, ...(await this.progress(name)) }, 'a view was rebuilt');
  }

  /** Takes as long as it takes to read both tables. The rebuild stays ours meanwhile. */
  async #exchange(live: Place, shadow: Place): Promise<void> {
    const beat = () => void this.#hold(live.definition.name).catch(() => undefined);
    const beating = setInterval(beat, LOOK / 2);
    try {
      await this.#database.exec(exchangeOf(live, shadow), [], { timeout: EXCHANGE });
    } finally {
      clearInterval(beating);
    }
  }

  async #near(live: Place, shadow: Place): Promise<boolean> {
    const behind = await this.#folding.behind([live, shadow]);
    return (behind.get(shadow.checkpoint) ?? 0) - (behind.get(live.checkpoint) ?? 0) <= NEAR;
  }
}
