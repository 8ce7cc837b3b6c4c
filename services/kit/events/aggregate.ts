// What a service's aggregate file is written with: types and two functions, no machinery.
import type { Refusal } from '../errors.ts';
import type { TopicName } from './catalogue.ts';

export { isRefusal, type Refusal, refuse } from '../errors.ts';

/** One fact about an aggregate, in the past tense. */
export interface DomainEvent {
  readonly type: string;
  readonly data: unknown;
}

/** `EventOf<'points.earned', { points: number }>`: one member of an aggregate's union of events. */
export interface EventOf<Type extends string, Data> {
  readonly type: Type;
  readonly data: Data;
}

/** What a decision answers: the events that happen (none: nothing changes) or why not. */
export type Decision<E extends DomainEvent> = readonly E[] | Refusal;

/** When and as which version an event was recorded; `evolve` may keep it in the state. */
export interface RecordedAs {
  readonly version: number;
  /** ISO 8601 UTC with milliseconds; never earlier than the event before it. */
  readonly at: string;
}

/** A kind of stream: the fold of its events and where they are published. */
export interface StreamKind<S = unknown, E extends DomainEvent = DomainEvent> {
  /** Prefix of the store key: `order` makes `order:<id>`. */
  readonly name: string;
  readonly initial: S;
  evolve(state: S, event: E, as: RecordedAs): S;
  /**
   * `inline`: short-lived, all events stay in the document. `paged`: long-lived, events leave in pages of 16; what is
   * changed with every sale is an effect, and its cause is published in its stead. `latest`: the state and the newest
   * events only, never published: what must be forgotten one day (personal data), or is told anew all the time.
   */
  readonly retention: 'inline' | 'paged' | 'latest';
  /** Where the events go; absent: the stream is read for history only. */
  readonly topic?: TopicName;
  /** The partition of all events of one stream: a constant of the stream, known from its first event. */
  partitionKey?(id: string, state: S): string;
}

/** One stream of a kind. */
export interface StreamRef<S = unknown, E extends DomainEvent = DomainEvent> {
  readonly kind: StreamKind<S, E>;
  readonly id: string;
  readonly key: string;
}

/** Names a stream. `id` must not hold client text as it came: see `keyPart` in `ids.ts`. */
export function streamOf<S, E extends DomainEvent>(kind: StreamKind<S, E>, id: string): StreamRef<S, E> {
  return { kind, id, key: `${kind.name}:${id}` };
}

/** Who does something, on behalf of what: kept with every event. */
export interface Origin {
  /** Account, client or `app:<app-id>`. */
  readonly actor: string;
  /** The same for everything that follows from one request. */
  readonly correlationId: string;
  /** Id of the event or command that this follows from. */
  readonly causationId: string;
  /** W3C trace context. */
  readonly traceparent: string;
}
