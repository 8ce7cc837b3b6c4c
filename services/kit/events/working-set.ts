// The documents that one transaction touches: read, decided upon in memory, written all or none.
import type { Removal, Sidecar, Stored, Write } from '../dapr/sidecar.ts';
import type { DomainEvent, Origin, StreamRef } from './aggregate.ts';
import { append, emptyDocument, remember, type StreamDocument, seal, withoutSealed } from './document.ts';

/** Documents in a transaction beside its lane (100 operations are portable: decision 0001). */
export const MOST_DOCUMENTS = 98;
/** Bytes of a transaction; daprd refuses bodies over 4 MiB. */
export const MOST_BYTES = 2 * 1024 * 1024;

interface Loaded {
  readonly ref: StreamRef;
  readonly etag: string | undefined;
  readonly stored: StreamDocument;
  document: StreamDocument;
}

/** A state that a decision can be taken back to. */
export interface Savepoint {
  readonly documents: ReadonlyMap<string, StreamDocument>;
  readonly aside: ReadonlyMap<string, Write | Removal>;
}

/** Shows a document that is already read, so that what a piece of work touches may depend on it; undefined if it is not. */
export type Peek = <S, E extends DomainEvent>(ref: StreamRef<S, E>) => StreamDocument<S> | undefined;
/** The streams that a piece of work touches. It is asked again whenever more has been read, until nothing is missing. */
export type Touch = (peek: Peek) => readonly StreamRef[];

export class WorkingSet {
  readonly #sidecar: Sidecar;
  readonly #store: string;
  readonly #loaded = new Map<string, Loaded>();
  readonly #aside = new Map<string, Write | Removal>();

  constructor(sidecar: Sidecar, store: string) {
    this.#sidecar = sidecar;
    this.#store = store;
  }

  /** Reads what is not here yet, in one call. Only a hint: see {@link Sidecar.getBulk}. */
  async load(refs: readonly StreamRef[]): Promise<void> {
    const missing = distinct(refs).filter((ref) => !this.#loaded.has(ref.key));
    if (missing.length === 0) return;
    if (missing.length === 1) return this.loadStrongly(missing);
    const found = await this.#sidecar.getBulk<StreamDocument>(
      this.#store,
      missing.map((ref) => ref.key),
    );
    for (const ref of missing) this.#put(ref, found.get(ref.key));
  }

  /** Takes streams for absent without reading; the first write fails if one is there after all. */
  assumeAbsent(refs: readonly StreamRef[]): void {
    for (const ref of refs) if (!this.#loaded.has(ref.key)) this.#put(ref, undefined);
  }

  /** Reads every document again with a single strong get, forgetting what was decided. */
  async loadStrongly(refs: readonly StreamRef[]): Promise<void> {
    const all = distinct(refs);
    for (let start = 0; start < all.length; start += 16) {
      await Promise.all(
        all.slice(start, start + 16).map(async (ref) => {
          this.#put(ref, await this.#sidecar.get<StreamDocument>(this.#store, ref.key));
        }),
      );
    }
  }

  /** Reads all that the work touches and answers it. */
  async gather(touch: Touch, strongly: boolean): Promise<readonly StreamRef[]> {
    const peek: Peek = (ref) => (this.has(ref) ? this.document(ref) : undefined);
    for (let round = 0; round < 4; round += 1) {
      const refs = touch(peek);
      const missing = refs.filter((ref) => !this.has(ref));
      if (missing.length === 0) return refs;
      await (strongly ? this.loadStrongly(missing) : this.load(missing));
    }
    throw new Error('what the work touches does not settle');
  }

  #put(ref: StreamRef, stored: Stored<StreamDocument> | undefined): void {
    const document = stored?.value ?? emptyDocument(ref);
    this.#loaded.set(ref.key, { ref, etag: stored?.etag, stored: document, document });
  }

  /** True if the stream's document has been read. */
  has(ref: { readonly key: string }): boolean {
    return this.#loaded.has(ref.key);
  }

  document<S, E extends DomainEvent>(ref: StreamRef<S, E>): StreamDocument<S> {
    return this.#entry(ref.key).document as StreamDocument<S>;
  }

  append<S, E extends DomainEvent>(ref: StreamRef<S, E>, events: readonly E[], origin: Origin, now: string): void {
    const entry = this.#entry(ref.key);
    entry.document = append(ref.kind, entry.document as StreamDocument<S>, events, origin, now);
  }

  remember(ref: StreamRef, command: { id: string; hash: string }): void {
    const entry = this.#entry(ref.key);
    entry.document = remember(entry.document, command);
  }

  setProgress(ref: StreamRef, progress: unknown): void {
    const entry = this.#entry(ref.key);
    const { progress: _, ...rest } = entry.document;
    entry.document = progress === undefined ? rest : { ...rest, progress };
  }

  /** Adds an immutable document that is written along, first write only. */
  putAside(key: string, value: unknown): void {
    this.#aside.set(key, { key, value, etag: undefined });
  }

  /** Drops a document that no stream keeps. */
  remove(key: string): void {
    this.#aside.set(key, { key, remove: true });
  }

  savepoint(): Savepoint {
    return {
      documents: new Map([...this.#loaded].map(([key, { document }]) => [key, document])),
      aside: new Map(this.#aside),
    };
  }

  rollback(savepoint: Savepoint): void {
    this.#aside.clear();
    for (const [key, write] of savepoint.aside) this.#aside.set(key, write);
    for (const [key, entry] of this.#loaded) entry.document = savepoint.documents.get(key) ?? entry.stored;
  }

  /** Keys whose document changed since the savepoint (since reading, without one). */
  changed(since?: Savepoint): string[] {
    return [...this.#loaded]
      .filter(([key, { stored, document }]) => document !== (since?.documents.get(key) ?? stored))
      .map(([key]) => key);
  }

  isDirty(ref: StreamRef): boolean {
    const entry = this.#entry(ref.key);
    return entry.document !== entry.stored;
  }

  get dirty(): number {
    let count = this.#aside.size;
    for (const { stored, document } of this.#loaded.values()) if (stored !== document) count += 1;
    return count;
  }

  /** Changed documents whose events are published. */
  get published(): number {
    let count = 0;
    for (const { stored, document } of this.#loaded.values()) if (stored !== document && document.topic) count += 1;
    return count;
  }

  /** True if the store still has exactly what was read: what a decision that writes nothing rests on. */
  async confirm(refs: readonly StreamRef[]): Promise<boolean> {
    const same = await Promise.all(
      distinct(refs).map(async (ref) => {
        const now = await this.#sidecar.get(this.#store, ref.key);
        return now?.etag === this.#entry(ref.key).etag;
      }),
    );
    return same.every(Boolean);
  }

  /**
   * The writes of one transaction: every changed document with `publishedVersion` as known, pages that are full as far
   * as there is room, and what was put aside. @throws {Error} more than a transaction takes: do it in chunks (`Desk.again`)
   */
  writes(publishedVersion: (document: StreamDocument) => number): {
    writes: (Write | Removal)[];
    documents: StreamDocument[];
  } {
    const changed = [...this.#loaded.values()].filter(({ stored, document }) => document !== stored);
    let room = MOST_DOCUMENTS - changed.length - this.#aside.size;
    // A store that takes more would hide it until another one is used.
    if (room < 0) throw new Error(`${MOST_DOCUMENTS - room} documents are more than a transaction takes`);
    const writes: Write[] = [];
    const documents: StreamDocument[] = [];
    for (const { ref, etag, stored, document } of changed) {
      let value: StreamDocument = { ...document, publishedVersion: publishedVersion(document) };
      if (ref.kind.retention === 'paged' && room > 0) {
        const { pages } = seal(stored, room);
        room -= pages.length;
        for (const page of pages) writes.push({ key: page.key, value: page, etag: undefined });
        if (pages.length > 0) value = withoutSealed(value, stored.sealedPages + pages.length);
      }
      documents.push(value);
      writes.push({ key: ref.key, value, etag });
    }
    return { writes: [...writes, ...this.#aside.values()], documents };
  }

  /** Forgets the documents that were just written: their new ETags are unknown until they are read again. */
  forgetDirty(): void {
    for (const [key, { stored, document }] of this.#loaded) if (stored !== document) this.#loaded.delete(key);
    this.#aside.clear();
  }

  #entry(key: string): Loaded {
    const entry = this.#loaded.get(key);
    if (!entry) throw new Error(`${key} is not among the documents that this work said it touches`);
    return entry;
  }
}

function distinct(refs: readonly StreamRef[]): StreamRef[] {
  return [...new Map(refs.map((ref) => [ref.key, ref])).values()];
}
