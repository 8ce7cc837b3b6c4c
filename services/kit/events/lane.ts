// One lane of an outbox slot: the document that names the streams whose events may be unpublished, written in their
// transactions. See `outbox.ts`.
import type { Sidecar, Stored, Write } from '../dapr/sidecar.ts';
import { Conflict, Fault } from '../errors.ts';
import type { StreamDocument } from './document.ts';
import type { Publisher } from './publisher.ts';

/** Streams that a lane names, unless a single command alone brings more (a batch of products). */
const MOST_KEYS = 64;
/** A lane with less room than this is left to be published first. */
const LEAST_ROOM = 8;

interface LaneDocument {
  readonly epoch: number;
  readonly keys: readonly { readonly key: string; readonly version: number }[];
}

/** One lane while it carries a transaction. */
export interface Lane {
  /**
   * Sees to it that the lane's ETag is known; has to be done before each try. After a conflict it is read strongly.
   * @throws {Fault} the slot was taken over.
   */
  load(strongly: boolean): Promise<void>;
  /** Streams that several commands together may still add to it. */
  readonly room: number;
  /** The lane's write for a transaction that saves these documents. */
  write(documents: readonly StreamDocument[]): Write;
  /**
   * Remembers that these may be stored and unpublished. To be said before the transaction and after it, however it ended:
   * an answer that is lost tells nothing. What was not written after all, and never will be, has nothing to publish and
   * is forgotten.
   */
  note(documents: readonly StreamDocument[]): void;
  /** The transaction that {@link write} was for has succeeded, and with its ETag every earlier try is refused from now on. */
  written(): void;
}

export class OpenLane implements Lane {
  readonly key: string;
  readonly #epoch: number;
  readonly #sidecar: Sidecar;
  readonly #store: string;
  readonly #publisher: Publisher;
  /** Known from a read since the last write, or not: a transaction answers no ETags. */
  #etag: string | undefined;
  #writes = 0;
  #doubtful = false;
  #keys = new Map<string, { version: number; since: number }>();

  readonly #readAhead: (lane: OpenLane) => Promise<void>;

  /** `readAhead` reads the ETags of this lane and of others that need theirs, in one call. */
  constructor(
    key: string,
    epoch: number,
    sidecar: Sidecar,
    store: string,
    publisher: Publisher,
    readAhead: (lane: OpenLane) => Promise<void> = () => this.load(true),
  ) {
    this.key = key;
    this.#readAhead = readAhead;
    this.#epoch = epoch;
    this.#sidecar = sidecar;
    this.#store = store;
    this.#publisher = publisher;
  }

  hasRoom(): boolean {
    return this.room > LEAST_ROOM;
  }

  get room(): number {
    return MOST_KEYS - this.unpublished().length;
  }

  unpublished(): string[] {
    for (const [key, { version }] of this.#keys) {
      if (this.#publisher.publishedVersion({ key, publishedVersion: 0 } as StreamDocument) >= version) {
        this.#keys.delete(key);
      }
    }
    return [...this.#keys.keys()];
  }

  /** Makes the lane ours by its epoch and learns what it names. */
  async take(): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const stored = await this.#sidecar.get<LaneDocument>(this.#store, this.key);
      if (stored && stored.value.epoch > this.#epoch) throw new Fault(`${this.key} belongs to a later holder`);
      const keys = stored?.value.keys ?? [];
      this.#keys = new Map(keys.map(({ key, version }) => [key, { version, since: 0 }]));
      try {
        const guard = stored ? { etag: stored.etag } : 'new';
        await this.#sidecar.save(this.#store, this.key, { epoch: this.#epoch, keys }, guard);
        return;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    }
    throw new Fault(`${this.key} could not be taken`);
  }

  async load(strongly: boolean): Promise<void> {
    if (!strongly && this.#etag === undefined) await this.#readAhead(this);
    if (!strongly && this.#etag !== undefined) return;
    const stored = await this.#sidecar.get<LaneDocument>(this.#store, this.key);
    if (stored?.value.epoch !== this.#epoch) throw new Fault(`${this.key} was taken over`);
    this.#etag = stored.etag;
  }

  /** True if the next transaction has to read this lane first. */
  get stale(): boolean {
    return this.#etag === undefined;
  }

  /** Where a read begins whose result {@link learn} is to be given. */
  get writes(): number {
    return this.#writes;
  }

  /** Takes what a read of several lanes found, unless the lane was written since the read began. */
  learn(stored: Stored<unknown> | undefined, writes: number): void {
    const { epoch } = (stored?.value ?? {}) as Partial<LaneDocument>;
    if (epoch === this.#epoch && writes === this.#writes) this.#etag = stored?.etag;
  }

  write(documents: readonly StreamDocument[]): Write {
    const etag = this.#etag;
    if (etag === undefined) throw new Error('a lane must be read before it is written');
    this.#etag = undefined;
    this.#writes += 1;
    this.#doubtful = true;
    const rest = this.#names();
    const added = documents.map(({ key, version }) => ({ key, version }));
    const names = new Set(added.map(({ key }) => key));
    const keys = [...rest.filter(({ key }) => !names.has(key)), ...added];
    return { key: this.key, value: { epoch: this.#epoch, keys } satisfies LaneDocument, etag };
  }

  #names(): { key: string; version: number }[] {
    return this.unpublished().map((key) => ({ key, version: this.#keys.get(key)?.version ?? 0 }));
  }

  written(): void {
    this.#doubtful = false;
  }

  /** True while a transaction without an answer may still be carried out: a sidecar that was frozen goes on where it stood. */
  get doubtful(): boolean {
    return this.#doubtful;
  }

  /**
   * Ends the doubt: writes the lane once more, so that a transaction that still comes meets another ETag and is refused.
   * @throws {Conflict | Fault} not yet
   */
  async fence(): Promise<void> {
    await this.load(true);
    const etag = this.#etag as string;
    this.#etag = undefined;
    this.#writes += 1;
    await this.#sidecar.save(this.#store, this.key, { epoch: this.#epoch, keys: this.#names() }, { etag });
    this.#doubtful = false;
  }

  note(documents: readonly StreamDocument[]): void {
    const since = performance.now();
    for (const { key, version } of documents) this.#keys.set(key, { version, since });
  }

  /** Publishes, from the store, what has been waiting for longer than `age` milliseconds. Stops at the first fault. */
  async publishRest(age = 0): Promise<void> {
    for (const key of this.unpublished()) {
      const waiting = this.#keys.get(key);
      if (!waiting || performance.now() - waiting.since < age) continue;
      await this.#publishStored(key);
    }
  }

  /**
   * Publishes what a lane names that another process left behind, and writes down that it is published: whoever changes
   * those streams next knows nothing of us, and would publish the same events once more.
   */
  async settle(): Promise<void> {
    for (const key of this.unpublished()) {
      const stored = await this.#publishStored(key);
      if (!stored) continue;
      const value = { ...stored.value, publishedVersion: this.#publisher.publishedVersion(stored.value) };
      try {
        await this.#sidecar.save(this.#store, key, value, { etag: stored.etag });
      } catch (error) {
        if (!(error instanceof Conflict)) throw error; // it has been changed meanwhile: one repeat more does no harm
      }
    }
  }

  async #publishStored(key: string): Promise<Stored<StreamDocument> | undefined> {
    const stored = await this.#sidecar.get<StreamDocument>(this.#store, key);
    if (stored) await this.#publisher.publish(stored.value);
    // A stream that was never written (its transaction failed, and is not under way any more) has nothing to publish.
    if (this.#doubtful) return stored;
    if (!stored || this.#publisher.publishedVersion(stored.value) >= stored.value.version) this.#keys.delete(key);
    return stored;
  }

  async clear(): Promise<void> {
    const stored = await this.#sidecar.get<LaneDocument>(this.#store, this.key);
    if (stored?.value.epoch !== this.#epoch || this.unpublished().length > 0) return;
    await this.#sidecar.save(this.#store, this.key, { epoch: this.#epoch, keys: [] }, { etag: stored.etag });
  }
}
