// The provider's own durable book: every change is one JSON line, written before it is answered, read again at start.
// One line is one request (intent, refund, webhooks to send, answer under its key), so a kill leaves all of it or nothing.
import { openJournal, type Place } from './journal.ts';
import type { Intent, Refund } from './objects.ts';

/** A webhook's event: what happened and the object as it was then. */
export type ProviderEvent = { id: string; type: string; created: number; object: unknown };
/** The answer first given under an idempotency key, and the request it was given to. */
export type KeptAnswer = { key: string; request: string; requestId: string; status: number; body: unknown };

export type Entry = {
  at: number;
  intent?: Intent;
  refund?: Refund;
  events?: ProviderEvent[];
  kept?: KeptAnswer;
  /** Id of an event whose webhook was accepted. */
  delivered?: string;
};

export type Book = {
  intents: ReadonlyMap<string, Intent>;
  refunds: ReadonlyMap<string, Refund>;
  /** Events whose webhook nobody has accepted yet, oldest first. */
  undelivered: ReadonlyMap<string, ProviderEvent>;
  delivered(): number;
  /** What was first answered under an idempotency key. */
  kept(key: string): KeptAnswer | undefined;
  /** Writes the entry to the file, then shows it. @throws what the file system throws; nothing has changed then. */
  append(entry: Entry): void;
  close(): void;
};

/** Opens the book of a file, making it when there is none. */
export function openBook(file: string): Book {
  const intents = new Map<string, Intent>();
  const refunds = new Map<string, Refund>();
  const undelivered = new Map<string, ProviderEvent>();
  // Places only: the answers themselves would be most of the memory.
  const answers = new Map<string, Place>();
  let delivered = 0;

  const show = (entry: Entry, place: Place): void => {
    if (entry.intent) intents.set(entry.intent.id, entry.intent);
    if (entry.refund) refunds.set(entry.refund.id, entry.refund);
    for (const event of entry.events ?? []) undelivered.set(event.id, event);
    if (entry.kept) answers.set(entry.kept.key, place);
    if (entry.delivered && undelivered.delete(entry.delivered)) delivered += 1;
  };
  const journal = openJournal(file, (line, place) => show(JSON.parse(line) as Entry, place));

  return {
    intents,
    refunds,
    undelivered,
    delivered: () => delivered,
    kept(key) {
      const place = answers.get(key);
      return place && (JSON.parse(journal.read(place)) as Entry).kept;
    },
    append: (entry) => show(entry, journal.append(JSON.stringify(entry))),
    close: journal.close,
  };
}
