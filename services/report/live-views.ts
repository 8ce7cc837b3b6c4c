// The views that people read: they follow the log together, one statement for all that is new.
import type { Logger } from 'pino';
import type { Database } from '#kit/views/database';
import { Folding, type Place, type ViewDefinition } from './folding.ts';

/** Events that one statement takes. */
const PAGE = 500;
/** Milliseconds that a wish to go on may wait for others. */
const GATHER = 250;

export class LiveViews {
  readonly definitions: readonly ViewDefinition[];
  readonly #places: readonly Place[];
  readonly #folding: Folding;
  readonly #log: Logger;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(database: Database, definitions: readonly ViewDefinition[], log: Logger) {
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
      while (!this.#stopped && (await this.#folding.advance(this.#places, PAGE)));
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
