// Who changed a stock item and why: its events name their cause, whose document has the envelope.
import type { StoredEvent, StreamDocument } from '#kit/events/document';
import type { Streams } from '#kit/events/streams';

/** What an item's event holds. */
interface Caused {
  readonly cause: string;
}

/**
 * The events of an item with actor, correlation and causation of the event that each of them is part of. What is still
 * under way (a basket in chunks that is not all reserved) has none yet. @throws {Fault}
 */
export async function explain(streams: Streams, events: readonly StoredEvent[]): Promise<StoredEvent[]> {
  const keys = [...new Set(events.map(({ data }) => (data as Caused).cause))];
  // One by one: a bulk read may not have yet what was written with the item.
  const read = keys.map(async (key) => [key, await streams.sidecar.get<StreamDocument>(streams.store, key)] as const);
  const found = new Map(await Promise.all(read));
  return events.map((event) => {
    const cause = partOf(event, found.get((event.data as Caused).cause)?.value.events ?? []);
    if (!cause?.id) return event;
    const { id, actor, correlationId } = cause;
    return { ...event, causationId: id, ...(actor && { actor }), ...(correlationId && { correlationId }) };
  });
}

/**
 * The cause's event that tells of the item's: `stock.reserved` of `item.reserved`, each of which a cause has once. What
 * was walked back is not told by that name; then it is the first that the cause recorded since.
 */
function partOf({ type, at }: StoredEvent, causes: readonly StoredEvent[]): StoredEvent | undefined {
  const name = type.replace(/^item\./, 'stock.');
  return causes.find((cause) => cause.type === name) ?? causes.find((cause) => cause.at >= at);
}
