// The provider's own durable book: every change is one JSON line, written before it is answered, read again at start.
// One line is one request (intent, refund, webhooks to send, answer under its key), so a kill leaves all of it or nothing.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
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
  kept: ReadonlyMap<string, KeptAnswer>;
  /** Events whose webhook nobody has accepted yet, oldest first. */
  undelivered: ReadonlyMap<string, ProviderEvent>;
  delivered(): number;
  /** Writes the entry to the file, then shows it. @throws what the file system throws; nothing has changed then. */
  append(entry: Entry): void;
  close(): void;
};

/** Opens the book, making file and folder when there are none. A last line cut off by a kill is dropped: it was never answered. */
export function openBook(file: string): Book {
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(file, 'a+', 0o600);
  const text = readFileSync(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));

  const intents = new Map<string, Intent>();
  const refunds = new Map<string, Refund>();
  const kept = new Map<string, KeptAnswer>();
  const undelivered = new Map<string, ProviderEvent>();
  let delivered = 0;
  let size = Buffer.byteLength(whole);

  const show = (entry: Entry): void => {
    if (entry.intent) intents.set(entry.intent.id, entry.intent);
    if (entry.refund) refunds.set(entry.refund.id, entry.refund);
    for (const event of entry.events ?? []) undelivered.set(event.id, event);
    if (entry.kept) kept.set(entry.kept.key, entry.kept);
    if (entry.delivered && undelivered.delete(entry.delivered)) delivered += 1;
  };
  for (const line of whole.split('\n')) if (line !== '') show(JSON.parse(line) as Entry);

  return {
    intents,
    refunds,
    kept,
    undelivered,
    delivered: () => delivered,
    append(entry) {
      const line = Buffer.from(`${JSON.stringify(entry)}\n`);
      try {
        // A write that returned is in the file even when this process is killed; only a power cut could lose it.
        if (writeSync(fd, line) !== line.length) throw new Error('the book could not be written whole');
      } catch (cause) {
        truncateSync(file, size);
        throw cause;
      }
      size += line.length;
      show(entry);
    },
    close() {
      fsyncSync(fd);
      closeSync(fd);
    },
  };
}
