// What a batch of messages becomes in the event log: repeats change nothing, gaps are read from their owner, a stream
// that cannot go on is parked and the others go on.
import type { Logger } from 'pino';
import { Fault } from '#kit/errors';
import type { Message } from '#kit/events/message';
import type { Status } from '#kit/events/reactor';
import { ValuesRefused } from '#kit/views/database';
import { batches, type EventLog, type Head } from './event-log.ts';
import type { ReadHistory, StreamName } from './history.ts';

/** Tries of an event that the database refuses before it counts as poison. */
const TRIES = 5;
/** The owner does not know an event that it must have published. */
const MISSING = 'MISSING_AT_OWNER';

export interface RecorderOptions {
  readonly eventLog: EventLog;
  readonly readHistory: ReadHistory;
  readonly log: Logger;
  /** Called after events were recorded: the views may go on. */
  readonly recorded?: (events: readonly Message[]) => void;
}

export class Recorder {
  readonly #options: RecorderOptions;
  /** Tries of events that the database refused, by event id. */
  readonly #failures = new Map<string, number>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** One status per message, in order. @throws {Fault} the database is out of reach: all of them come again. */
  handle(messages: readonly Message[]): Promise<Status[]> {
    return this.#inTurn(() => new Batch(this.#options, this.#failures).run(messages));
  }

  /** Tries every parked stream again: a newer version of this service may know what the last one did not. */
  async mendParked(): Promise<void> {
    for (const stream of await this.#options.eventLog.parked()) {
      await this.#inTurn(() => new Batch(this.#options, this.#failures).mend(stream));
    }
  }

  /** One batch at a time: the versions that one counts with are those that the one before it wrote. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(run);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

/** An event to be recorded. `index` is that of its message; events read from the owner have none. */
interface Entry {
  readonly message: Message;
  readonly index: number | undefined;
}

class Batch {
  readonly #options: RecorderOptions;
  readonly #failures: Map<string, number>;
  readonly #heads = new Map<string, Head>();
  readonly #entries: Entry[] = [];
  /** Streams of which nothing more is recorded in this batch; their messages come again. */
  readonly #blocked = new Set<string>();
  /** Streams parked by this batch. */
  readonly #parked = new Set<string>();
  #statuses: Status[] = [];

  constructor(options: RecorderOptions, failures: Map<string, number>) {
    this.#options = options;
    this.#failures = failures;
  }

  async run(messages: readonly Message[]): Promise<Status[]> {
    this.#statuses = messages.map(() => 'SUCCESS');
    await this.#readHeads(messages.map(({ stream }) => stream));
    for (const [index, message] of messages.entries()) await this.#take(message, index);
    await this.#write();
    for (const [index, { stream }] of messages.entries()) {
      if (this.#blocked.has(stream) && this.#statuses[index] === 'SUCCESS') this.#statuses[index] = 'RETRY';
    }
    return this.#statuses;
  }

  async mend(parked: StreamName): Promise<void> {
    await this.#readHeads([parked.stream]);
    await this.#heal(parked);
    await this.#write();
  }

  async #readHeads(streams: readonly string[]): Promise<void> {
    for (const [stream, head] of await this.#options.eventLog.heads(streams)) this.#heads.set(stream, head);
  }

  async #take(message: Message, index: number): Promise<void> {
    const { stream } = message;
    const { version, parked } = this.#head(stream);
    if (message.version <= version || this.#blocked.has(stream)) return;
    if (message.version === version + 1) {
      this.#push({ message, index });
      // The repaired version. What came after it was acknowledged unread: it is with the owner.
      if (parked) await this.#heal(message);
      return;
    }
    if (!parked) {
      this.#options.log.info({ stream, version, next: message.version }, 'a gap: reading the stream');
      await this.#heal(message);
      if (this.#head(stream).version >= message.version || this.#blocked.has(stream)) return;
      if (!this.#head(stream).parked) {
        await this.#park({ ...message, version: this.#head(stream).version + 1, reason: MISSING });
      }
    }
    // Others can be read again where they come from; this one would be lost.
    if (this.#head(stream).parked?.reason === MISSING) this.#statuses[index] = { poison: MISSING, attempts: 1 };
  }

  /** Takes over what the owner has after our last version; parks the stream where that cannot be recorded. */
  async #heal(name: StreamName): Promise<void> {
    const { stream } = name;
    try {
      const { events, broken } = await this.#options.readHistory(name, this.#head(stream).version);
      for (const message of events) this.#push({ message, index: undefined });
      if (broken) await this.#park({ ...name, ...broken });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#options.log.warn({ err: error, stream }, 'the owner of a stream with a gap is out of reach');
      this.#blocked.add(stream);
    }
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    const { stream, version } = entry.message;
    this.#heads.set(stream, { ...this.#head(stream), version });
  }

  async #write(): Promise<void> {
    for (const part of batches(this.#entries)) {
      try {
        await this.#append(part);
      } catch (error) {
        if (!(error instanceof ValuesRefused)) throw error;
        this.#options.log.warn({ err: error }, 'a batch could not be recorded at once');
        for (const entry of part) await this.#writeAlone(entry);
      }
    }
    for (const [stream, { version, parked }] of this.#heads) {
      if (!parked || this.#parked.has(stream) || this.#blocked.has(stream)) continue;
      if (version >= parked.version) await this.#options.eventLog.unpark(stream);
    }
  }

  /** Finds out which event of a refused batch is to blame; the others are recorded. */
  async #writeAlone(entry: Entry): Promise<void> {
    const { message, index } = entry;
    const { id, stream, version, type } = message;
    if (this.#blocked.has(stream) || this.#parked.has(stream)) return;
    try {
      await this.#append([entry]);
    } catch (error) {
      if (!(error instanceof ValuesRefused)) throw error;
      const head = (await this.#options.eventLog.heads([stream])).get(stream);
      if (head && head.version >= version) return; // another replica was faster
      const attempts = (this.#failures.get(id) ?? 0) + 1;
      this.#options.log.error({ err: error, id, type, stream, version, attempts }, 'an event cannot be recorded');
      if (attempts < TRIES) {
        this.#failures.set(id, attempts);
        this.#blocked.add(stream);
        return;
      }
      this.#failures.delete(id);
      await this.#park({ ...message, reason: 'NOT_STORABLE' });
      if (index !== undefined) this.#statuses[index] = { poison: 'NOT_STORABLE', attempts };
    }
  }

  async #append(entries: readonly Entry[]): Promise<void> {
    const messages = entries.map(({ message }) => message);
    await this.#options.eventLog.append(messages);
    if (this.#failures.size > 0) for (const { id } of messages) this.#failures.delete(id);
    this.#options.recorded?.(messages);
  }

  async #park(at: StreamName & { version: number; reason: string }): Promise<void> {
    const { topic, source, stream, version, reason } = at;
    this.#options.log.error({ stream, version, reason }, 'a stream is parked');
    await this.#options.eventLog.park({ topic, source, stream, version, reason });
    this.#parked.add(stream);
    this.#heads.set(stream, { ...this.#head(stream), parked: { version, reason } });
  }

  #head(stream: string): Head {
    return this.#heads.get(stream) ?? { version: 0, parked: undefined };
  }
}
