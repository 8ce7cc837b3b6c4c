// Who changed a stock item and why: its events name their cause, whose document has the envelope.
import type { StoredEvent, StreamDocument } from '#kit/events/document';
import type { Streams } from '#kit/events/streams';

/** What an item's event holds. */
interface Caused {
  readonly cause: string;
}

/** A line as events of causes have it: the item's version after the change. */
interface Line {
  readonly sku: string;
  readonly itemVersion?: number;
}

/**
 * The events of an item with actor, correlation and causation of the event that each of them is part of. What is still
 * under way (a basket in chunks that is not all reserved) has none yet. @throws {Fault}
 */
export async function explain(streams: Streams, sku: string, events: readonly StoredEvent[]): Promise<StoredEvent[]> {
  const keys = [...new Set(events.map(({ data }) => (data as Caused).cause))];
  const found = await streams.sidecar.getBulk<StreamDocument>(streams.store, keys);
  return events.map((event) => {
    const cause = partOf(event, sku, found.get((event.data as Caused).cause)?.value.events ?? []);
    if (!cause?.id) return event;
    const { id, actor, correlationId } = cause;
    return { ...event, causationId: id, ...(actor && { actor }), ...(correlationId && { correlationId }) };
  });
}

/**
 * The cause's event that tells of the item's. The cause's are saved with or after the item's, and name the version that
 * they led to; what was walked back they do not name, then it is the first that was recorded since.
 */
function partOf(event: StoredEvent, sku: string, causes: readonly StoredEvent[]): StoredEvent | undefined {
  const named = causes.find(({ data }) =>
    ((data as { lines?: readonly Line[] }).lines ?? []).some(
      (line) => line.sku === sku && (line.itemVersion ?? 0) >= event.version,
    ),
  );
  return named ?? causes.find(({ at }) => at >= event.at);
}
