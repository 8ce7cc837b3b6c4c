// What a stream was: its events from any version on, and its state as it was recorded at an instant. Of a long stream
// only the pages that matter are read.
import type { DomainEvent, StreamRef } from './aggregate.ts';
import { PAGE_SIZE, type Page, type StoredEvent, type StreamDocument } from './document.ts';
import type { Streams } from './streams.ts';
import { newest } from './upcasters.ts';

/** A stream at some moment. */
export interface AsOf<S> {
  readonly state: S;
  readonly version: number;
}

/** Pages that are read at once. */
const AT_ONCE = 32;

/** The events above a version in their newest shape, oldest first, at most `limit`. @throws {Fault} */
export async function eventsAfter<S>(
  streams: Streams,
  document: StreamDocument<S>,
  after: number,
  limit: number,
): Promise<StoredEvent[]> {
  const [first, last] = [after + 1, Math.min(after + limit, document.version)];
  if (first > last) return [];
  const from = Math.min(pageOf(first), document.sealedPages);
  const to = Math.min(pageOf(last) + 1, document.sealedPages);
  const pages = await Promise.all(numbers(from, to).map((n) => streams.page(document.key, n)));
  const events = [...pages.flatMap((page) => page.events), ...document.events];
  return events.filter(({ version }) => version >= first && version <= last).map(newest);
}

/**
 * The state as it was recorded at an instant (ISO 8601), events of that very millisecond included. Undefined: there was
 * nothing yet. An instant to come is now. @throws {Fault}
 */
export async function asOf<S, E extends DomainEvent>(
  streams: Streams,
  ref: StreamRef<S, E>,
  instant: string,
): Promise<AsOf<S> | undefined> {
  const document = await streams.read(ref);
  if (!document) return undefined;
  const pages = new Pages<S>(streams, document.key);
  const version = await versionAt(document, pages, new Date(instant).toISOString());
  if (version === 0) return undefined;
  if (version === document.version) return { state: document.state, version };
  return { state: await stateOf(ref, document, pages, version), version };
}

/** The state as it was at a version, 0 being before its first event; undefined: it never had that version. @throws {Fault} */
export async function stateOfVersion<S, E extends DomainEvent>(
  streams: Streams,
  ref: StreamRef<S, E>,
  version: number,
): Promise<S | undefined> {
  if (version === 0) return ref.kind.initial;
  const document = await streams.read(ref);
  if (!document || document.version < version) return undefined;
  if (document.version === version) return document.state;
  return stateOf(ref, document, new Pages<S>(streams, document.key), version);
}

/** The version that the stream had then; 0: none. Stored instants have one form, so their texts compare as they do. */
async function versionAt<S>(document: StreamDocument<S>, pages: Pages<S>, instant: string): Promise<number> {
  const within = (events: readonly StoredEvent[]) => events.findLast(({ at }) => at <= instant)?.version;
  const recent = within(document.events);
  if (recent !== undefined) return recent;
  let [low, high] = [0, document.sealedPages];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const begins = (await pages.read(middle)).events[0]?.at ?? '';
    if (begins <= instant) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : (within((await pages.read(low - 1)).events) ?? 0);
}

/** Folds from the nearest state that is known to the version. */
async function stateOf<S, E extends DomainEvent>(
  { kind }: StreamRef<S, E>,
  document: StreamDocument<S>,
  pages: Pages<S>,
  version: number,
): Promise<S> {
  const border = document.borders?.findLast((known) => known.version <= version);
  const base = border ?? (await pages.stateBefore(Math.min(pageOf(version), document.sealedPages)));
  const { state = kind.initial, version: known = 0 } = base ?? {};
  const events = [...(border ? [] : pages.all()), ...document.events];
  return events
    .filter((event) => event.version > known && event.version <= version)
    .reduce((before, event) => kind.evolve(before, newest(event) as DomainEvent as E, event), state);
}

/** The sealed pages of a stream that were read so far. */
class Pages<S> {
  readonly #streams: Streams;
  readonly #key: string;
  readonly #read = new Map<number, Page<S>>();

  constructor(streams: Streams, key: string) {
    this.#streams = streams;
    this.#key = key;
  }

  async read(n: number): Promise<Page<S>> {
    const page = this.#read.get(n) ?? (await this.#streams.page<S>(this.#key, n));
    this.#read.set(n, page);
    return page;
  }

  /**
   * The last state that is known before page `n`, that page and all after that state being read. Pages of an earlier
   * release end without their state: there it goes back until one has it, or to the beginning (undefined).
   */
  async stateBefore(n: number): Promise<AsOf<S> | undefined> {
    let known = n;
    for (let most = 1; known > 0; most = AT_ONCE) {
      const from = Math.max(0, known - most);
      await Promise.all(numbers(from, known).map((page) => this.read(page)));
      while (known > from) {
        const after = this.#read.get(known - 1)?.after;
        if (after !== undefined) return { state: after, version: known * PAGE_SIZE };
        known -= 1;
      }
    }
    return undefined;
  }

  /** The events of all that was read, oldest first. */
  all(): StoredEvent[] {
    return [...this.#read].toSorted(([a], [b]) => a - b).flatMap(([, { events }]) => events);
  }
}

/** The page that a version is on, or will be. */
function pageOf(version: number): number {
  return Math.floor((version - 1) / PAGE_SIZE);
}

/** From `from` up to, not including, `to`. */
function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, n) => from + n);
}
