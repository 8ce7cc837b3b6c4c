// Records that clients create, read and replace by version (ETag, If-Match): streams of one kind, named by client text.
import { type Refusal, refuse } from '../errors.ts';
import { keyPart } from '../ids.ts';
import {
  type Decision,
  type DomainEvent,
  type Origin,
  type StreamKind,
  type StreamRef,
  streamOf,
} from './aggregate.ts';
import type { Desk } from './desk.ts';
import type { StreamDocument } from './document.ts';
import type { Streams } from './streams.ts';

/** A record as it is stored; `version` is its ETag. */
export interface Versioned<S> {
  readonly state: S;
  readonly version: number;
}

export interface Change {
  readonly id: string;
  /** The version that the client holds (If-Match). Without it the decision alone says what may be there already. */
  readonly held?: number;
  readonly origin: Origin;
  /** Further streams that `along` writes. */
  readonly touch?: readonly StreamRef[];
  /** Written in the same transaction, if the record changes. */
  readonly along?: (desk: Desk) => void;
}

export class Records<S, E extends DomainEvent> {
  readonly streams: Streams;
  readonly #kind: StreamKind<S, E>;

  constructor(streams: Streams, kind: StreamKind<S, E>) {
    this.streams = streams;
    this.#kind = kind;
  }

  /** The stream of a record. */
  of(id: string): StreamRef<S, E> {
    return streamOf(this.#kind, keyPart(id));
  }

  /** The record, read strongly; undefined if there is none. @throws {Fault} */
  async read(id: string): Promise<Versioned<S> | undefined> {
    const document = await this.streams.read(this.of(id));
    return document && { state: document.state, version: document.version };
  }

  /** Many records in one call, by id; absent ones are left out. May be a moment old ({@link Sidecar.getBulk}). @throws {Fault} */
  async readMany(ids: readonly string[]): Promise<ReadonlyMap<string, Versioned<S>>> {
    const keys = new Map(ids.map((id) => [id, this.of(id).key]));
    const { sidecar, store } = this.streams;
    const documents = await sidecar.getBulk<StreamDocument<S>>(store, [...keys.values()]);
    const found = new Map<string, Versioned<S>>();
    for (const [id, key] of keys) {
      const document = documents.get(key)?.value;
      if (document) found.set(id, { state: document.state, version: document.version });
    }
    return found;
  }

  /**
   * Decides upon one record and answers it as it is then. With `held`: NOT_FOUND if there is none,
   * PRECONDITION_FAILED if it has another version. @throws {Fault} as {@link Streams.execute}
   */
  change<C>(
    { id, held, origin, touch = [], along }: Change,
    decide: (state: S, command: C) => Decision<E>,
    command: C,
  ): Promise<Versioned<S> | Refusal> {
    const ref = this.of(id);
    return this.streams.execute({
      touch: [ref, ...touch],
      origin,
      decide: (desk) => {
        const before = desk.version(ref);
        // Our own earlier try must not look like someone else's write.
        if (desk.wrote(ref) === undefined) {
          if (held !== undefined && before === 0) return refuse('NOT_FOUND');
          if (held !== undefined && before !== held) return refuse('PRECONDITION_FAILED', { current: before });
          const refusal = desk.apply(ref, decide, command);
          if (refusal) return refusal;
          if (desk.version(ref) > before) along?.(desk);
        }
        return { state: desk.state(ref), version: desk.version(ref) };
      },
    });
  }
}
