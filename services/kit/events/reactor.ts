// What happens elsewhere, and what it means here: a batch of messages becomes one transaction, published, acknowledged.
import type { Logger } from 'pino';
import { ask } from '../dapr/ask.ts';
import { Conflict, causeOf, Fault, Poison } from '../errors.ts';
import type { StreamRef } from './aggregate.ts';
import { Desk } from './desk.ts';
import { type Message, originOf, toMessage } from './message.ts';
import type { Streams } from './streams.ts';
import { newest } from './upcasters.ts';
import { MOST_BYTES, MOST_DOCUMENTS, type Touch, WorkingSet } from './working-set.ts';

/** A reaction answers this when it cannot explain a message: an earlier one of its stream was overtaken. */
export const GAP = Symbol('gap');

/** What one type of message means for the streams of this service. */
export interface Reaction<Data = unknown> {
  /** The cause's document and every stream it changes. */
  touch(message: Message<Data>): Touch | readonly StreamRef[];
  /** Must say nothing new when it is asked a second time: the cause's state tells that it is done. */
  decide(desk: Desk, message: Message<Data>): typeof GAP | undefined;
  /** Called when the effect is saved and published, or was before: wakes a worker. Must be cheap and may be lost. */
  afterwards?(message: Message<Data>): void;
}

// biome-ignore lint/suspicious/noExplicitAny: each reaction knows the data of its own type, checked by the contract
export type Reactions = Readonly<Record<string, Reaction<any>>>;

/** `RETRY`: not now. With `poison`, the reason: never; it belongs in the dead letters. */
export type Status =
  | 'SUCCESS'
  | 'RETRY'
  | { readonly poison: string; readonly attempts: number; readonly detail?: string | undefined };

/** Tries of a decision that throws before its message counts as poison. */
const DECISION_TRIES = 5;

export class Reactor {
  readonly #streams: Streams;
  readonly #reactions: Reactions;
  readonly #log: Logger;
  readonly #failures = new Map<string, number>();

  constructor(options: { streams: Streams; reactions: Reactions; log: Logger }) {
    this.#streams = options.streams;
    this.#reactions = options.reactions;
    this.#log = options.log;
  }

  /** One status per message, in order. Never throws: a fault is RETRY for the messages that it concerns. */
  async handle(messages: readonly Message[]): Promise<Status[]> {
    return new Batch(this.#streams, this.#reactions, this.#log, this.#failures, messages).run();
  }
}

/** A message that found nothing to do, and what it was shown: that has to be confirmed, not what is read later. */
interface Unchanged {
  readonly index: number;
  readonly set: WorkingSet;
}

class Batch {
  readonly #streams: Streams;
  readonly #reactions: Reactions;
  readonly #log: Logger;
  readonly #failures: Map<string, number>;
  readonly #messages: readonly Message[];
  readonly #statuses: Status[];
  readonly #blocked = new Set<string>();
  readonly #publishing: { members: readonly number[]; done: Promise<void> }[] = [];
  #set: WorkingSet;
  #fold: number[] = [];

  constructor(
    streams: Streams,
    reactions: Reactions,
    log: Logger,
    failures: Map<string, number>,
    messages: readonly Message[],
  ) {
    this.#streams = streams;
    this.#reactions = reactions;
    this.#log = log;
    this.#failures = failures;
    this.#messages = messages;
    this.#statuses = messages.map(() => 'SUCCESS');
    this.#set = new WorkingSet(streams.sidecar, streams.store);
  }

  async run(): Promise<Status[]> {
    const unchanged: Unchanged[] = [];
    for (const index of this.#messages.keys()) {
      if (!this.#reaction(index)) continue;
      if (this.#isBlocked(index)) this.#retry(index);
      else await this.#guard(index, () => this.#take(index, unchanged));
    }
    await this.#flush();
    for (const { index, set } of unchanged) {
      if (this.#isBlocked(index)) this.#retry(index);
      else await this.#guard(index, () => (set === this.#set ? this.#confirm(index) : this.#alone(index)));
    }
    for (const { members, done } of this.#publishing) {
      try {
        await done;
      } catch (error) {
        this.#log.warn({ err: error }, 'saved but not published: the messages come again');
        for (const index of members) this.#retry(index);
      }
    }
    for (const [index, status] of this.#statuses.entries()) {
      if (status === 'SUCCESS') this.#reaction(index)?.afterwards?.(this.#message(index));
    }
    return this.#statuses;
  }

  /** Decides upon one message on top of those before it, in memory. */
  async #take(index: number, unchanged: Unchanged[]): Promise<void> {
    const message = this.#message(index);
    await this.#loadAhead(index);
    const refs = await this.#set.gather(this.#touch(index), false);
    this.#learn(message, refs);
    const before = this.#set.savepoint();
    const desk = this.#desk(message);
    let outcome: typeof GAP | undefined;
    try {
      outcome = this.#reaction(index)?.decide(desk, message);
    } catch (error) {
      this.#set.rollback(before);
      this.#decisionFailed(index, error);
      return;
    }
    if (outcome === GAP || desk.wantsMore) {
      this.#set.rollback(before);
      await this.#flush();
      await (outcome === GAP ? this.#heal(index) : this.#alone(index));
      return;
    }
    if (this.#set.changed(before).length === 0) {
      // What it found done may be what others of this batch do: it is decided again if they cannot be saved. And what it
      // did itself when it came before may still be unpublished.
      if (refs.some((ref) => this.#set.isDirty(ref))) this.#fold.push(index);
      unchanged.push({ index, set: this.#set });
      return;
    }
    if (this.#set.dirty > MOST_DOCUMENTS) {
      this.#set.rollback(before);
      if (this.#fold.length === 0) throw new Error(`${message.type} changes more documents than a transaction takes`);
      await this.#flush();
      await this.#take(index, unchanged);
      return;
    }
    this.#fold.push(index);
  }

  /** Reads in one call what this and all later messages touch, as far as that is known before reading. */
  async #loadAhead(from: number): Promise<void> {
    const refs = new Map<string, StreamRef>();
    const missing = (index: number) => this.#touch(index)(() => undefined).filter((ref) => !this.#set.has(ref));
    if (missing(from).length === 0) return;
    for (let index = from; index < this.#messages.length; index += 1) {
      if (!this.#reaction(index) || this.#isBlocked(index)) continue;
      for (const ref of missing(index)) refs.set(ref.key, ref);
    }
    await this.#set.load([...refs.values()]);
  }

  async #flush(): Promise<void> {
    const members = this.#fold;
    this.#fold = [];
    if (members.length === 0) return;
    try {
      const documents = await this.#streams.commit(this.#set, undefined, members.length > 1 ? MOST_BYTES : undefined);
      const done = this.#streams.publishAll(documents);
      if (done) this.#publishing.push({ members, done });
    } catch (error) {
      if (!(error instanceof Conflict || error instanceof Fault)) throw error;
      this.#set = new WorkingSet(this.#streams.sidecar, this.#streams.store);
      for (const index of members) {
        if (this.#isBlocked(index)) this.#retry(index);
        else await this.#guard(index, () => this.#alone(index));
      }
    }
  }

  /** A message in transactions of its own, decided on what is really stored. */
  async #alone(index: number): Promise<void> {
    const message = this.#message(index);
    const { result, wrote } = await this.#streams.react({
      touch: this.#touch(index),
      decide: (desk) => this.#reaction(index)?.decide(desk, message),
      origin: originOf(message, this.#streams.source),
    });
    if (result === GAP) await this.#heal(index);
    else if (!wrote) await this.#publishAgain(index, new WorkingSet(this.#streams.sidecar, this.#streams.store));
  }

  /** Nothing to do, if the store still says so; then only what this very message caused is published again. */
  async #confirm(index: number): Promise<void> {
    const refs = await this.#set.gather(this.#touch(index), false);
    if (await this.#set.confirm(refs)) await this.#publishAgain(index, this.#set);
    else await this.#alone(index);
  }

  /**
   * Republishes the unpublished events caused by this message: never more, or two services would echo for ever. `set`
   * holds what is stored or nothing: what was read before a transaction whose answer is lost does not show its events.
   */
  async #publishAgain(index: number, set: WorkingSet): Promise<void> {
    const message = this.#message(index);
    const refs = await set.gather(this.#touch(index), true);
    for (const ref of refs) {
      if (ref.kind.topic === undefined) continue;
      const document = set.document(ref);
      const caused = document.events.findLast((event) => event.causationId === message.id);
      if (caused) await this.#streams.publisher.publish(document, caused.version);
    }
  }

  /** Something overtook: reads the stream from its owner and applies it in order, up to this message. */
  async #heal(index: number): Promise<void> {
    const message = this.#message(index);
    const path = `/internal/streams/${encodeURIComponent(message.stream)}`;
    const question = { to: message.source, method: 'GET', path, timeout: 2_000 } as const;
    const { events } = await ask<{ events: unknown[] }>(this.#streams.sidecar, question);
    this.#log.info({ stream: message.stream, version: message.version }, 'a message was overtaken: reading its stream');
    for (const event of events) {
      const earlier = newest(toMessage(message.topic, event));
      const reaction = this.#reactions[earlier.type];
      if (earlier.version > message.version || !reaction) continue;
      const touch = reaction.touch(earlier);
      const { result } = await this.#streams.react({
        touch,
        decide: (desk) => reaction.decide(desk, earlier),
        origin: originOf(earlier, this.#streams.source),
      });
      if (result === GAP) throw new Error(`${earlier.type} of ${message.stream} cannot be explained`);
    }
  }

  /** An event here that caused this message has been published, whatever our document says. */
  #learn(message: Message, refs: readonly StreamRef[]): void {
    for (const ref of refs) {
      if (ref.kind.topic === undefined) continue;
      const cause = this.#set.document(ref).events.find(({ id }) => id === message.causationId);
      if (cause) this.#streams.publisher.learn(ref.key, cause.version);
    }
  }

  /** Runs one message's part; a fault makes it and all that must follow it come again. */
  async #guard(index: number, part: () => Promise<void>): Promise<void> {
    try {
      await part();
    } catch (error) {
      if (error instanceof Fault || error instanceof Conflict) {
        this.#log.warn({ err: error, message: this.#message(index).id }, 'a message has to come again');
        this.#retry(index);
      } else {
        this.#decisionFailed(index, error);
      }
    }
  }

  #decisionFailed(index: number, error: unknown): void {
    const { id, type } = this.#message(index);
    const attempts = (this.#failures.get(id) ?? 0) + 1;
    const poison = error instanceof Poison ? error.reason : 'DECISION_FAILED';
    this.#log.error({ err: error, message: id, type, attempts }, 'a reaction failed');
    if (error instanceof Poison || attempts >= DECISION_TRIES) {
      this.#failures.delete(id);
      this.#statuses[index] = { poison, attempts, detail: causeOf(error) };
    } else {
      this.#failures.set(id, attempts);
      this.#retry(index);
    }
  }

  #retry(index: number): void {
    this.#statuses[index] = 'RETRY';
    for (const key of this.#keys(index)) this.#blocked.add(key);
  }

  #isBlocked(index: number): boolean {
    return this.#blocked.size > 0 && this.#keys(index).some((key) => this.#blocked.has(key));
  }

  /** The message's own stream and what it touches, as far as known without reading. */
  #keys(index: number): string[] {
    const { source, stream } = this.#message(index);
    return [`${source}/${stream}`, ...this.#touch(index)(() => undefined).map(({ key }) => key)];
  }

  #touch(index: number): Touch {
    const touch = this.#reaction(index)?.touch(this.#message(index)) ?? [];
    return typeof touch === 'function' ? touch : () => touch;
  }

  #desk(message: Message): Desk {
    return new Desk(this.#set, originOf(message, this.#streams.source), this.#streams.now());
  }

  #reaction(index: number): Reactions[string] | undefined {
    return this.#reactions[this.#message(index).type];
  }

  #message(index: number): Message {
    return this.#messages[index] as Message;
  }
}
