// The end of the audit's chain, kept where whoever may write to the database cannot: in the service's document store.
import type { Logger } from 'pino';
import type { Sidecar, Stored } from '#kit/dapr/sidecar';
import { Conflict } from '#kit/errors';
import type { Database } from '#kit/views/database';
import { AUDIT, auditView } from './audit-view.ts';

/** Milliseconds between two looks at the end of the chain: what was cut off within them may go unseen. */
const LOOK = 5_000;
const KEY = 'audit-anchor';

/** A row that the chain has to have for ever. */
export interface Anchor {
  readonly position: number;
  /** Of that row, hexadecimal. */
  readonly hash: string;
  /** When it was the last one. */
  readonly at: string;
}

/** What an anchored row is now. */
export type AnchorProblem = 'CHANGED' | 'REMOVED';

export class AuditAnchor {
  readonly #sidecar: Sidecar;
  readonly #store: string;
  readonly #database: Database;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: { sidecar: Sidecar; store: string; database: Database; log: Logger }) {
    this.#sidecar = parts.sidecar;
    this.#store = parts.store;
    this.#database = parts.database;
    this.#log = parts.log;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.raise().catch((error) => this.#log.debug({ err: error }, 'the audit cannot be anchored now'));
    }, LOOK).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The anchor that was set last; undefined before the first. @throws {Fault} the store is out of reach */
  async read(): Promise<Anchor | undefined> {
    return (await this.#stored())?.value;
  }

  /** What became of the anchored row; undefined: it stands as it was. @throws {Fault} the database is out of reach */
  async problemOf(anchor: Anchor): Promise<AnchorProblem | undefined> {
    const [row] = await this.#database.query<{ hash: string }>(
      `select encode(hash, 'hex') as hash from ${AUDIT} where position = $1::bigint`,
      [anchor.position],
    );
    if (!row) return 'REMOVED';
    return row.hash === anchor.hash ? undefined : 'CHANGED';
  }

  /**
   * Moves the anchor to the end of the chain. It never goes back, and never leaves a chain that is not the one it was set
   * in: that stays to be seen. @throws {Fault} store or database out of reach
   */
  async raise(): Promise<void> {
    const stored = await this.#stored();
    const [last] = await this.#database.query<{ position: number; hash: string }>(
      `select position, encode(hash, 'hex') as hash from ${AUDIT}
       where position <= (select position from view_checkpoints where view = '${auditView.name}') order by position desc limit 1`,
    );
    if (!last || last.position === stored?.value.position) return;
    const problem = stored && (await this.problemOf(stored.value));
    if (problem) {
      this.#log.error({ anchor: stored.value, problem }, 'the audit is not the one that was anchored');
      return;
    }
    const anchor: Anchor = { ...last, at: new Date().toISOString() };
    try {
      await this.#sidecar.save(this.#store, KEY, anchor, stored ? { etag: stored.etag } : 'new');
    } catch (error) {
      if (!(error instanceof Conflict)) throw error; // another replica was faster
    }
  }

  #stored(): Promise<Stored<Anchor> | undefined> {
    return this.#sidecar.get<Anchor>(this.#store, KEY);
  }
}
