// The one way to write: read, decide, save all or none, publish. HTTP commands, workers and sweeps come in here;
// messages come in through the reactor, which shares `commit`.
import { setTimeout as pause } from 'node:timers/promises';
import type { Sidecar } from '../dapr/sidecar.ts';
import { Conflict, Fault } from '../errors.ts';
import { type Clock, systemClock } from '../time.ts';
import { Together } from '../together.ts';
import type { DomainEvent, Origin, StreamRef } from './aggregate.ts';
import { Desk } from './desk.ts';
import { type Page, pageKey, type StreamDocument } from './document.ts';
import { foldCommands } from './fold.ts';
import type { Lane } from './lane.ts';
import { Lately } from './lately.ts';
import { toCloudEvent } from './message.ts';
import type { Outbox } from './outbox.ts';
import { Publisher } from './publisher.ts';
import { type Touch, WorkingSet } from './working-set.ts';

const TRIES = 12;
/** How long an HTTP answer waits for the broker; the lane keeps what is late (decision 0003). Milliseconds. */
const PATIENCE = 100;

/** Work on some streams: which ones, and the decision over them. Both are asked anew for every try and every chunk. */
export interface Work<R> {
  readonly touch: readonly StreamRef[] | Touch;
  readonly decide: (desk: Desk) => R;
  readonly origin: Origin;
  /** Streams that were looked for a moment ago and not there: the first try does not look again, its save is guarded. */
  readonly absent?: readonly StreamRef[];
}

/** How a piece of work ended. `published` resolves when its events are with the broker; undefined: there are none. */
export interface Done<R = unknown> {
  readonly result: R;
  readonly desk: Desk;
  readonly wrote: boolean;
  readonly published: Promise<void> | undefined;
}

export interface StreamsOptions {
  readonly sidecar: Sidecar;
  /** State component, `statestore-<app-id>`. */
  readonly store: string;
  /** App-id; the `source` of every event. */
  readonly source: string;
  readonly clock?: Clock;
}

export class Streams {
  readonly sidecar: Sidecar;
  readonly store: string;
  readonly source: string;
  readonly publisher: Publisher;
  readonly clock: Clock;
  #outbox: Outbox | undefined;
  readonly #queues = new Map<string, Promise<void>>();
  readonly #commands = new Together<Work<unknown>, Done>((works) => this.#fold(works), { most: 24 });
  readonly #glances = new Together<StreamRef, StreamDocument | undefined>((refs) => this.#peek(refs));
  readonly #lately = new Lately();
  readonly #listeners = new Map<string, Set<(document: StreamDocument) => void>>();

  constructor(options: StreamsOptions) {
    this.sidecar = options.sidecar;
    this.store = options.store;
    this.source = options.source;
    this.clock = options.clock ?? systemClock;
    this.publisher = new Publisher({
      sidecar: options.sidecar,
      pubsub: 'pubsub-saga',
      source: options.source,
    });
  }

  /** Gives the lanes to commands that no message would repeat. Needed before the first {@link execute}. */
  useOutbox(outbox: Outbox): void {
    this.#outbox = outbox;
  }

  now(): string {
    return this.clock().toISOString();
  }

  /** The document of a stream, read strongly; undefined if there is none. @throws {Fault} */
  async read<S, E extends DomainEvent>(ref: StreamRef<S, E>): Promise<StreamDocument<S> | undefined> {
    return (await this.sidecar.get<StreamDocument<S>>(this.store, ref.key))?.value;
  }

  /**
   * The document of a stream, if it is there: absence is only a hint, so a decision on it must be guarded by its save.
   * Cheaper than {@link read} under load, when many are asked for at the same time. @throws {Fault}
   */
  async glance<S, E extends DomainEvent>(ref: StreamRef<S, E>): Promise<StreamDocument<S> | undefined> {
    const seen = await this.#glances.add(ref as StreamRef);
    return seen && this.read(ref);
  }

  async #peek(refs: readonly StreamRef[]): Promise<Promise<StreamDocument | undefined>[]> {
    if (refs.length === 1) return refs.map((ref) => this.read(ref) as Promise<StreamDocument | undefined>);
    const keys = [...new Set(refs.map(({ key }) => key))];
    const found = await this.sidecar.getBulk<StreamDocument>(this.store, keys);
    return refs.map(async ({ key }) => found.get(key)?.value);
  }

  /**
   * The document of a stream as this process last wrote it, if that was a moment ago. Others may have changed it since:
   * only for what may be begun on a hint and is decided on what is stored.
   */
  lately<S, E extends DomainEvent>(ref: StreamRef<S, E>): StreamDocument<S> | undefined {
    return this.#lately.get(ref.key) as StreamDocument<S> | undefined;
  }

  /** A sealed page of a stream. @throws {Fault} the store is out of reach, or has lost it. */
  async page<S>(key: string, n: number): Promise<Page<S>> {
    const page = await this.sidecar.get<Page<S>>(this.store, pageKey(key, n));
    if (!page) throw new Fault(`page ${n} of ${key} is missing`);
    return page.value;
  }

  /** A stream's events as CloudEvents, oldest first: `/internal/streams/<key>`. Undefined if there is no such stream. */
  async cloudEvents(key: string): Promise<Record<string, unknown>[] | undefined> {
    const document = (await this.sidecar.get<StreamDocument>(this.store, key))?.value;
    if (!document || !Array.isArray(document.events)) return undefined;
    const pages = await Promise.all(
      Array.from({ length: document.sealedPages }, async (_, n) => (await this.page(key, n)).events),
    );
    return [...pages.flat(), ...document.events].map((event) => toCloudEvent(this.source, document, event));
  }

  /**
   * Does a piece of work that no message would repeat: an HTTP command, a worker's outcome, a sweep's command. Each
   * transaction also writes a lane of the outbox, which publishes what a crash left unpublished. Repeats on conflict,
   * deciding again on what is then stored. Answers what the last decision answered.
   * @throws {Fault} the store cannot take it now; nothing says whether it was written, so repeat with the same command.
   */
  async execute<R>(work: Work<R>): Promise<R> {
    for (;;) {
      const done = (await this.#inTurn(work, () => this.#commands.add(work))) as Done<R>;
      if (done.published) {
        const late = done.published.catch(() => undefined); // the lane's own repeat takes over
        await Promise.race([late, pause(PATIENCE, undefined, { ref: false })]);
      }
      if (!done.desk.wantsMore) return done.result;
    }
  }

  /**
   * Commands of this process on one stream queue before they take a lane: only one of them could win anyway, so that
   * conflicts come from elsewhere. The queue is by the first stream that the work names.
   */
  async #inTurn<T>({ touch }: Work<unknown>, run: () => Promise<T>): Promise<T> {
    const key = typeof touch === 'function' ? undefined : touch[0]?.key;
    if (key === undefined) return run();
    const before = this.#queues.get(key);
    const mine = Promise.withResolvers<void>();
    this.#queues.set(key, mine.promise);
    await before;
    try {
      return await run();
    } finally {
      mine.resolve();
      if (this.#queues.get(key) === mine.promise) this.#queues.delete(key);
    }
  }

  /**
   * The same without a lane: the caller repeats until it succeeds (a message that is not acknowledged). Publishes
   * before it answers. `wrote` is false if the end of the work was found done: what it brought may be unpublished.
   */
  async react<R>(work: Work<R>): Promise<{ result: R; wrote: boolean }> {
    for (;;) {
      const done = await this.#attempts(work, undefined);
      await done.published;
      if (!done.desk.wantsMore) return { result: done.result, wrote: done.wrote };
    }
  }

  /**
   * The stream's document at its next change in this process; undefined after `milliseconds` or when `signal` aborts.
   * Another process may change it unseen: who waits for an outcome also reads now and then.
   */
  changed<S, E extends DomainEvent>(
    ref: StreamRef<S, E>,
    milliseconds: number,
    signal?: AbortSignal,
  ): Promise<StreamDocument<S> | undefined> {
    return new Promise((resolve) => {
      const listeners = this.#listeners.get(ref.key) ?? new Set();
      this.#listeners.set(ref.key, listeners);
      const done = (document: StreamDocument | undefined) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', give);
        listeners.delete(done);
        if (listeners.size === 0 && this.#listeners.get(ref.key) === listeners) this.#listeners.delete(ref.key);
        resolve(document as StreamDocument<S> | undefined);
      };
      const give = () => done(undefined);
      const timer = setTimeout(give, milliseconds);
      listeners.add(done);
      signal?.addEventListener('abort', give, { once: true });
    });
  }

  /** Writes what a working set decided. @throws {Conflict | Fault} as {@link Sidecar.transact}, whose limit `mostBytes` is. */
  async commit(work: WorkingSet, lane?: Lane, mostBytes?: number): Promise<StreamDocument[]> {
    const { writes, documents } = work.writes((document) => this.publisher.publishedVersion(document));
    const published = documents.filter(({ topic }) => topic !== undefined);
    const named = published.length > 0 ? lane : undefined;
    const all = named ? [...writes, named.write(published)] : writes;
    named?.note(published);
    let bytes: number;
    try {
      bytes = await this.sidecar.transact(this.store, all, mostBytes);
      named?.written();
    } finally {
      named?.note(published);
    }
    work.forgetDirty();
    this.#lately.note(published, bytes);
    for (const document of documents) {
      for (const hear of [...(this.#listeners.get(document.key) ?? [])]) hear(document);
    }
    return documents;
  }

  /**
   * The first try of several commands in one transaction, decided one after the other in memory. Whoever does not fit
   * in, has nothing to write or meets a conflict is tried alone.
   */
  async #fold(works: readonly Work<unknown>[]): Promise<Promise<Done>[]> {
    const outbox = this.#outbox;
    if (!outbox) throw new Error('streams have no outbox: call useOutbox first');
    const alone = (work: Work<unknown>) => outbox.withLane((lane) => this.#attempts(work, lane));
    if (works.length === 1) return works.map(alone);
    const folded = await outbox.withLane((lane) => foldCommands(this, works, lane));
    // What was thought absent may be what the transaction was refused for: alone it is looked for.
    return works.map((work, index) => folded[index] ?? alone({ ...work, absent: [] }));
  }

  async #attempts<R>(work: Work<R>, lane: Lane | undefined): Promise<Done<R>> {
    let cause: unknown;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      if (attempt > 0) await pause(Math.random() * Math.min(250, 4 * 2 ** attempt));
      const { touch } = work;
      const set = new WorkingSet(this.sidecar, this.store);
      const strongly = attempt > 0;
      if (!strongly) set.assumeAbsent(work.absent ?? []);
      const [refs] = await Promise.all([
        set.gather(typeof touch === 'function' ? touch : () => touch, strongly),
        lane?.load(strongly),
      ]);
      const desk = new Desk(set, work.origin, this.now());
      const result = work.decide(desk);
      if (set.dirty === 0) {
        // A decision that writes nothing must not rest on a hint.
        if (strongly || (await set.confirm(refs))) return { result, desk, wrote: false, published: undefined };
        continue;
      }
      try {
        const documents = await this.commit(set, lane);
        return { result, desk, wrote: true, published: this.publishAll(documents) };
      } catch (error) {
        if (!(error instanceof Conflict || error instanceof Fault)) throw error;
        cause = error;
      }
    }
    throw new Fault(`could not save after ${TRIES} tries`, { cause });
  }

  /** Publishes what the documents hold unpublished. */
  publishAll(documents: readonly StreamDocument[]): Promise<void> | undefined {
    const published = documents.filter(({ topic }) => topic !== undefined);
    if (published.length === 0) return undefined;
    const all = Promise.all(published.map((document) => this.publisher.publish(document)));
    const done = all.then(() => undefined);
    done.catch(() => undefined); // whoever awaits it hears of it; nobody else has to
    return done;
  }
}
