// I10: the streams themselves. Versions without a gap, ids used once, sealed pages where the document says they are.
import { PAGE_SIZE, type StoredEvent, type StreamDocument } from '../../services/kit/events/document.ts';
import type { StoredRow } from './stores.ts';
import type { Violation } from './violation.ts';

/** All events of a stream, oldest first: its pages, then what is inline. A missing page leaves a gap. */
export function eventsOf(document: StreamDocument, pages: ReadonlyMap<string, readonly StoredEvent[]>): StoredEvent[] {
  const sealed = Array.from({ length: document.sealedPages }, (_, n) => pages.get(`${document.key}:p${n}`) ?? []);
  return [...sealed.flat(), ...document.events];
}

/** The sealed pages among the documents of a store, by key. */
export function pagesIn(rows: readonly StoredRow[]): Map<string, readonly StoredEvent[]> {
  return new Map(
    rows.flatMap(({ key, value }) => {
      const events = (value as { events?: StoredEvent[] } | null)?.events;
      return /:p\d+$/.test(key) && Array.isArray(events) ? [[key, events] as const] : [];
    }),
  );
}

/** Checks every stream of one service. */
export function checkStreams(
  streams: Iterable<StreamDocument>,
  pages: ReadonlyMap<string, readonly StoredEvent[]>,
): Violation[] {
  const found: Violation[] = [];
  const ids = new Map<string, string>();
  for (const document of streams) {
    const wrong = (what: string) => found.push({ invariant: 'I10', subject: document.key, what });
    const events = eventsOf(document, pages);
    events.forEach(({ version, id, at }, index) => {
      if (version !== index + 1) wrong(`event ${index + 1} has version ${version}`);
      // What is not published has no id of its own.
      if (id === undefined) {
        if (document.topic !== undefined) wrong(`event ${version} has no id`);
      } else {
        const other = ids.get(id);
        if (other !== undefined) wrong(`event ${version} has the id of an event of ${other}`);
        ids.set(id, document.key);
      }
      const before = events[index - 1]?.at;
      if (before !== undefined && at < before) wrong(`event ${version} was recorded before the one before it`);
    });
    if (events.length !== document.version) wrong(`is at version ${document.version} with ${events.length} events`);
    if (document.publishedVersion > document.version)
      wrong(`has version ${document.version}, but ${document.publishedVersion} is published`);
    for (let n = 0; n < document.sealedPages; n++) {
      const size = pages.get(`${document.key}:p${n}`)?.length ?? 0;
      if (size !== PAGE_SIZE) wrong(`page ${n} has ${size} events`);
    }
  }
  return found;
}
