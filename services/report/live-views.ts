// The views that people read: they follow the log together, one statement for all that is new.
import type { Logger } from 'pino';
import type { Database } from '#kit/views/database';
import { Folding, type Place, type ViewDefinition } from './folding.ts';

/** Events that one statement takes. */
const PAGE = 500;
/** Milliseconds that a wish to go on may wait for others. */
const GATHER = 150;
/** Events whose lag is told; while the views stand still, that of later ones is not. */
const TIMED = 100_000;

export class LiveViews {
  readonly definitions: readonly ViewDefinition[];
  readonly #places: readonly Place[];
  readonly #folding: Folding;
  readonly #log: Logger;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** When what is recorded and not yet folded was committed by its owners. */
  #recorded: string[] = [];
  readonly #lag: (seconds: number) => void;

  /** `lag` hears of every event how long after its commit all views had it. */
  constructor(
    database: Database,
    definitions: readonly ViewDefinition[],
    log: Logger,
    lag: (seconds: number) => void = () => undefined,
  ) {
    this.#lag = lag;
    this.definitions = definitions;
    this.#places = definitions.map(liveOf);
    this.#folding = new Folding(database, log);
    this.#log = log;
  }

  /** Creates what is missing and goes on from the checkpoints. */
  async create(): Promise<void> {
    for (const place of this.#places) await this.#folding.create(place);
    this.wake();
  }

  /** Goes on to events that were just recorded. */
  follow(events: readonly { readonly at: string }[]): void {
    if (this.#recorded.length < TIMED) for (const { at } of events) this.#recorded.push(at);
    this.wake();
  }

  /** Folds what is new, soon. What fails is tried again until it succeeds. */
  wake(after = GATHER): void {
    if (this.#timer || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.catchUp().catch((error) => {
        this.#log.warn({ err: error }, 'the views cannot go on now');
        this.wake(1_000);
      });
    }, after);
    this.#timer.unref();
  }

  /** Folds until nothing is new. @throws {Fault} the database is out of reach */
  catchUp(): Promise<void> {
    const mine = this.#turn.then(async () => {
      const recorded = this.#recorded.length;
      while (!this.#stopped && (await this.#folding.advance(this.#places, PAGE)));
      const now = Date.now();
      for (const at of this.#recorded.splice(0, recorded)) this.#lag(Math.max(0, now - Date.parse(at)) / 1_000);
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** By view: positions between the end of the log and its checkpoint. */
  behind(): Promise<Map<string, number>> {
    return this.#folding.behind(this.#places);
  }

  /** Ends after the statement under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }
}

/** Where a view is that people read. */
export function liveOf(definition: ViewDefinition): Place {
  return { definition, table: definition.table, checkpoint: definition.name };
}
