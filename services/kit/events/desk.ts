// What a decision is given: the states it may see and the ways to change them. No store, no clock, no ids.
import { isRefusal, type Refusal } from '../errors.ts';
import type { Decision, DomainEvent, Origin, StreamRef } from './aggregate.ts';
import { recall, type StreamDocument } from './document.ts';
import type { WorkingSet } from './working-set.ts';

/** An HTTP command's identity: the same id with another hash is another payload under a used key. */
export interface CommandIdentity {
  readonly id: string;
  readonly hash: string;
}

export class Desk {
  readonly #work: WorkingSet;
  readonly origin: Origin;
  /** ISO 8601 UTC: the time of this decision. */
  readonly now: string;
  #again = false;

  constructor(work: WorkingSet, origin: Origin, now: string) {
    this.#work = work;
    this.origin = origin;
    this.now = now;
  }

  state<S, E extends DomainEvent>(ref: StreamRef<S, E>): S {
    return this.#work.document(ref).state;
  }

  /** 0 while the stream does not exist. */
  version(ref: StreamRef): number {
    return this.#work.document(ref).version;
  }

  document<S, E extends DomainEvent>(ref: StreamRef<S, E>): StreamDocument<S> {
    return this.#work.document(ref);
  }

  append<S, E extends DomainEvent>(ref: StreamRef<S, E>, ...events: readonly E[]): void {
    this.#work.append(ref, events, this.origin, this.now);
  }

  /** Runs a pure decision on the stream's state and appends what it decides. Answers the refusal, if it is one. */
  apply<S, E extends DomainEvent, C>(
    ref: StreamRef<S, E>,
    decide: (state: S, command: C) => Decision<E>,
    command: C,
  ): Refusal | undefined {
    const decision = decide(this.state(ref), command);
    if (isRefusal(decision)) return decision;
    this.append(ref, ...(decision as readonly E[]));
    return undefined;
  }

  /**
   * The version that this very command led to, if an earlier try of it was committed and only the answer got lost.
   * Told by the causation of the recent events: enough for the tries of one `execute`, not for repeats days later.
   * @throws {Error} the stream's events do not tell: it is not published, and keeps more than the latest
   */
  wrote(ref: StreamRef): number | undefined {
    const { name, topic, retention } = ref.kind;
    if (topic === undefined && retention !== 'latest') throw new Error(`${name} does not keep who caused what`);
    const { causationId } = this.origin;
    return this.#work.document(ref).events.findLast((event) => event.causationId === causationId)?.version;
  }

  /** What an HTTP command led to when the stream accepted it, see {@link recall}. */
  recall(ref: StreamRef, command: CommandIdentity): { version: number } | Refusal | undefined {
    return recall(this.#work.document(ref), command);
  }

  /**
   * Notes that the stream accepted the command at its present version. A stream keeps its last 20: enough for short-lived
   * aggregates, whose own id is often the command's. A long-lived one that clients command again and again forgets, and
   * would do it twice: there use `once`, which keeps the command in a document of its own.
   */
  remember(ref: StreamRef, command: CommandIdentity): void {
    this.#work.remember(ref, command);
  }

  /** Work in chunks: what the last chunk left behind, kept in the cause's document until it is set to undefined. */
  progress<P>(ref: StreamRef): P | undefined {
    return this.#work.document(ref).progress as P | undefined;
  }

  setProgress(ref: StreamRef, progress: unknown): void {
    this.#work.setProgress(ref, progress);
  }

  /** Writes an immutable document (a ledger entry, part of a receipt) in the same transaction; it must not exist yet. */
  put(key: string, value: unknown): void {
    this.#work.putAside(key, value);
  }

  /** Drops a document that is no stream (a token that is not needed any more) in the same transaction. */
  remove(key: string): void {
    this.#work.remove(key);
  }

  /** Asks to be called again after this chunk is committed. */
  again(): void {
    this.#again = true;
  }

  get wantsMore(): boolean {
    return this.#again;
  }
}
