// An event on its way: from a stored event to a CloudEvent and back to what a reaction is given.
import { Poison } from '../errors.ts';
import type { Origin } from './aggregate.ts';
import { eventId, type StoredEvent, type StreamDocument } from './document.ts';

/** What a subscriber is given. `data` is the domain event's own data; the rest tells where it comes from. */
export interface Message<Data = unknown> {
  readonly id: string;
  readonly topic: string;
  /** `order.placed`, without prefix and version. */
  readonly type: string;
  readonly schemaVersion: number;
  /** App-id of the owner. */
  readonly source: string;
  /** Key of the stream at its owner. */
  readonly stream: string;
  readonly version: number;
  readonly at: string;
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly traceparent: string;
  readonly data: Data;
}

const TYPE = /^retail\.([a-z-]+(?:\.[a-z-]+)+)\.v(\d+)$/;

/** A stored event as CloudEvent 1.0. The same event always gives the same bytes, whoever publishes it. */
export function toCloudEvent(source: string, document: StreamDocument, event: StoredEvent): Record<string, unknown> {
  const schemaVersion = event.schemaVersion ?? 1;
  return {
    specversion: '1.0',
    id: event.id ?? eventId(document.key, event.version),
    type: `retail.${event.type}.v${schemaVersion}`,
    source,
    subject: document.id,
    time: event.at,
    datacontenttype: 'application/json',
    // daprd replaces `traceparent` of a finished CloudEvent unless `traceid` is there too (tests/conformance/deliveries.test.ts).
    traceparent: event.traceparent,
    traceid: event.traceparent,
    data: {
      stream: document.key,
      version: event.version,
      at: event.at,
      actor: event.actor,
      correlationId: event.correlationId,
      causationId: event.causationId,
      schemaVersion,
      payload: event.data,
    },
  };
}

/** Reads a CloudEvent of ours. @throws {Poison} it is none. */
export function toMessage(topic: string, cloudEvent: unknown): Message {
  if (!isRecord(cloudEvent)) throw new Poison('NOT_A_CLOUD_EVENT');
  const { id, type, source, data, traceparent } = cloudEvent;
  const match = typeof type === 'string' ? TYPE.exec(type) : null;
  if (typeof id !== 'string' || typeof source !== 'string' || !match || !isRecord(data)) {
    throw new Poison('NOT_OUR_CLOUD_EVENT');
  }
  const { stream, version, at, actor, correlationId, causationId, payload } = data;
  if (typeof stream !== 'string' || !Number.isSafeInteger(version) || typeof at !== 'string') {
    throw new Poison('ENVELOPE_INCOMPLETE');
  }
  return {
    id,
    topic,
    type: match[1] as string,
    schemaVersion: Number(match[2]),
    source,
    stream,
    version: version as number,
    at,
    actor: String(actor),
    correlationId: String(correlationId),
    causationId: String(causationId),
    traceparent: typeof traceparent === 'string' ? traceparent : '',
    data: payload,
  };
}

/** The origin of what follows from a message. */
export function originOf(message: Message, appId: string): Origin {
  return {
    actor: `app:${appId}`,
    correlationId: message.correlationId,
    causationId: message.id,
    traceparent: message.traceparent,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
