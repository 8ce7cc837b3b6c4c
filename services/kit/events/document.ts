// The document that holds a stream: its state, its recent events, what is published of it. Pure.
import { type Refusal, refuse } from '../errors.ts';
import { idOf } from '../ids.ts';
import type { DomainEvent, Origin, StreamKind, StreamRef } from './aggregate.ts';
import { newest, newestVersion } from './upcasters.ts';

/** Events of one sealed page: versions 16n+1 to 16n+16. */
export const PAGE_SIZE = 16;
/** HTTP commands remembered per document. */
const COMMANDS_KEPT = 20;

/**
 * An event as it is stored. Streams that are not published keep only what their cause does not have: a stock item is
 * read and written with every sale, so its bytes count.
 */
export interface StoredEvent {
  readonly type: string;
  readonly version: number;
  readonly at: string;
  readonly data: unknown;
  readonly id?: string;
  readonly causationId?: string;
  readonly schemaVersion?: number;
  readonly actor?: string;
  readonly correlationId?: string;
  readonly traceparent?: string;
}

/** An HTTP command that was accepted: its id, the hash of its payload and the version it led to. */
export interface CommandRecord {
  readonly id: string;
  readonly hash: string;
  readonly version: number;
}

/** The state of a stream at a version. */
export interface Border<S = unknown> {
  readonly version: number;
  readonly state: S;
}

export interface StreamDocument<S = unknown> {
  readonly key: string;
  readonly id: string;
  readonly version: number;
  readonly state: S;
  readonly events: readonly StoredEvent[];
  /** Pages sealed so far: `<key>:p0` to `<key>:p<n-1>`. */
  readonly sealedPages: number;
  /** Of a paged stream: its states where a page will end, until that page is sealed. */
  readonly borders?: readonly Border<S>[];
  /** All versions up to this one were acknowledged by the broker. May lag. */
  readonly publishedVersion: number;
  readonly topic?: string;
  readonly partitionKey?: string;
  readonly commands: readonly CommandRecord[];
  /** How far a command in chunks has come; not an event, never published. */
  readonly progress?: unknown;
}

/** The document of a stream that does not exist yet. */
export function emptyDocument<S, E extends DomainEvent>({ kind, id, key }: StreamRef<S, E>): StreamDocument<S> {
  return { key, id, version: 0, state: kind.initial, events: [], sealedPages: 0, publishedVersion: 0, commands: [] };
}

/** The document with the events appended and folded. `now` is a floor: time never runs backwards within a stream. */
export function append<S, E extends DomainEvent>(
  kind: StreamKind<S, E>,
  document: StreamDocument<S>,
  events: readonly E[],
  origin: Origin,
  now: string,
): StreamDocument<S> {
  if (events.length === 0) return document;
  let { version, state } = document;
  let at = document.events.at(-1)?.at ?? '';
  if (now > at) at = now;
  const forgets = kind.retention === 'latest';
  if (forgets && kind.topic !== undefined) throw new Error(`${kind.name} is published and cannot forget`);
  const stored = forgets ? [] : [...document.events];
  const borders = [...(document.borders ?? [])];
  for (const event of events) {
    version += 1;
    state = kind.evolve(state, event, { version, at });
    if (kind.retention === 'paged' && version % PAGE_SIZE === 0) borders.push({ version, state });
    const core = { type: event.type, version, at, data: event.data };
    stored.push(
      kind.topic === undefined
        ? forgets
          ? { ...core, causationId: origin.causationId }
          : core
        : {
            ...core,
            id: eventId(document.key, version),
            causationId: origin.causationId,
            schemaVersion: newestVersion(event.type),
            actor: origin.actor,
            correlationId: origin.correlationId,
            traceparent: origin.traceparent,
          },
    );
  }
  const published =
    kind.topic === undefined
      ? {}
      : {
          topic: kind.topic,
          partitionKey: document.partitionKey ?? kind.partitionKey?.(document.id, state) ?? document.id,
        };
  return { ...document, version, state, events: stored, ...(borders.length > 0 && { borders }), ...published };
}

/** The id of an event: the same whoever publishes it, however often. */
export function eventId(key: string, version: number): string {
  return idOf(key, String(version));
}

/** Remembers an accepted HTTP command, forgetting the oldest. */
export function remember<S>(document: StreamDocument<S>, command: { id: string; hash: string }): StreamDocument<S> {
  const record = { id: command.id, hash: command.hash, version: document.version };
  return { ...document, commands: [...document.commands, record].slice(-COMMANDS_KEPT) };
}

/**
 * Looks an HTTP command up among those the stream accepted: the version it led to, a refusal
 * (`IDEMPOTENCY_KEY_REUSED`) for another payload, or undefined when it is new.
 */
export function recall(
  { commands }: StreamDocument,
  command: { id: string; hash: string },
): { version: number } | Refusal | undefined {
  const known = commands.find(({ id }) => id === command.id);
  if (!known) return undefined;
  return known.hash === command.hash ? { version: known.version } : refuse('IDEMPOTENCY_KEY_REUSED');
}

export interface Page<S = unknown> {
  readonly key: string;
  readonly events: readonly StoredEvent[];
  /** The state after them, so that the past can be told without folding all pages before. Absent: sealed before it was kept. */
  readonly after?: S;
}

/**
 * Takes full pages out of a document *as it was read*: never events of a decision that is still open, so that any two
 * writers seal the same bytes; and of a published stream only what is published. At least a page stays in the document.
 */
export function seal<S>(document: StreamDocument<S>, most: number): { document: StreamDocument<S>; pages: Page<S>[] } {
  const pages: Page<S>[] = [];
  let { events, sealedPages } = document;
  while (events.length >= 2 * PAGE_SIZE && pages.length < most) {
    const page = events.slice(0, PAGE_SIZE);
    const last = page.at(-1)?.version ?? 0;
    if (document.topic !== undefined && last > document.publishedVersion) break;
    const border = document.borders?.find(({ version }) => version === last);
    pages.push({ key: pageKey(document.key, sealedPages), events: page, ...(border && { after: border.state }) });
    events = events.slice(PAGE_SIZE);
    sealedPages += 1;
  }
  return pages.length === 0 ? { document, pages } : { document: withoutSealed(document, sealedPages), pages };
}

/** A document whose first pages are kept elsewhere: what is in them leaves it. */
export function withoutSealed<S>(document: StreamDocument<S>, sealedPages: number): StreamDocument<S> {
  const isLeft = ({ version }: { readonly version: number }) => version > sealedPages * PAGE_SIZE;
  const { borders = [], ...rest } = document;
  const left = borders.filter(isLeft);
  return { ...rest, sealedPages, events: document.events.filter(isLeft), ...(left.length > 0 && { borders: left }) };
}

/** Key of the n-th sealed page, from 0. */
export function pageKey(key: string, n: number): string {
  return `${key}:p${n}`;
}

/** The state as it was at a version, of a stream whose events are all inline. */
export function stateAt<S, E extends DomainEvent>(
  kind: StreamKind<S, E>,
  document: StreamDocument<S>,
  version: number,
): S {
  if (version >= document.version) return document.state;
  return document.events
    .filter((event) => event.version <= version)
    .reduce((state, event) => kind.evolve(state, newest(event) as DomainEvent as E, event), kind.initial);
}
