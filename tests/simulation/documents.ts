// The document store of one service as daprd shows it: ETags, first writes, transactions that are all or nothing. Texts are
// kept, so that nobody shares an object. It looks at every document that is written: some things may never be wrong.
import type { StoredEvent, StreamDocument } from '../../services/kit/events/document.ts';
import { checkStock } from '../invariants/stock.ts';
import type { StoredRow } from '../invariants/stores.ts';
import type { Violation } from '../invariants/violation.ts';

interface Held {
  readonly text: string;
  readonly etag: string;
  readonly at: number;
  /** What was there before, for readers who see it late. */
  readonly before: { readonly text: string; readonly etag: string } | undefined;
  readonly version: number;
  readonly updated: boolean;
}

/** A write and its guard: an ETag, `new` (must not exist) or `any`. */
export interface Guarded {
  readonly key: string;
  readonly value?: unknown;
  readonly remove?: boolean;
  readonly guard: { readonly etag: string } | 'new' | 'any';
}

/** A document as it was read. Its text is parsed when somebody wants to know more than its ETag, once for each reader. */
class Shown<T> {
  readonly etag: string;
  readonly #text: string;
  #value: T | undefined;

  constructor({ text, etag }: { readonly text: string; readonly etag: string }) {
    this.etag = etag;
    this.#text = text;
  }

  get value(): T {
    this.#value ??= JSON.parse(this.#text) as T;
    return this.#value;
  }
}

/** Operations that every store takes in one transaction (decision 0001). */
const MOST_OPERATIONS = 100;

export class Documents {
  readonly #held = new Map<string, Held>();
  readonly #now: () => number;
  readonly #violated: (violation: Violation) => void;
  #etags = 0;

  constructor(now: () => number, violated: (violation: Violation) => void) {
    this.#now = now;
    this.#violated = violated;
  }

  read<T>(key: string): { value: T; etag: string } | undefined {
    const held = this.#held.get(key);
    return held && new Shown<T>(held);
  }

  /** What was there before the last write, if that was less than `age` milliseconds ago; else what is there. */
  readLate<T>(key: string, age: number): { value: T; etag: string } | undefined {
    const held = this.#held.get(key);
    if (!held || this.#now() - held.at > age) return this.read(key);
    return held.before && new Shown<T>(held.before);
  }

  /** Writes all or nothing; false: a guard did not hold, or it is longer than `most` characters. */
  write(writes: readonly Guarded[], most = Number.POSITIVE_INFINITY): boolean {
    if (writes.length > MOST_OPERATIONS || new Set(writes.map(({ key }) => key)).size < writes.length) {
      throw new Error(`no store takes this transaction: ${writes.map(({ key }) => key).join(' ')}`);
    }
    if (!writes.every((write) => this.#holds(write))) return false;
    const texts = writes.map(({ remove, value }) => (remove ? '' : JSON.stringify(value)));
    if (texts.reduce((sum, { length }) => sum + length, 0) > most) return false;
    for (const [index, { key, value, remove }] of writes.entries()) {
      if (remove) this.#held.delete(key);
      else this.#put(key, value, texts[index] as string);
    }
    return true;
  }

  /** Everything, for the checkers. */
  rows(): StoredRow[] {
    return [...this.#held].map(([key, { text, updated }]) => ({ key, value: JSON.parse(text), updated }));
  }

  #holds({ key, guard }: Guarded): boolean {
    const held = this.#held.get(key);
    if (guard === 'any') return true;
    return guard === 'new' ? held === undefined : held?.etag === guard.etag;
  }

  #put(key: string, value: unknown, text: string): void {
    const held = this.#held.get(key);
    this.#etags += 1;
    const version = this.#look(key, value as Partial<StreamDocument>, held);
    this.#held.set(key, {
      text,
      etag: `${this.#etags}`,
      at: this.#now(),
      before: held && { text: held.text, etag: held.etag },
      version,
      updated: held !== undefined,
    });
  }

  /** I1 of an item, and I10: a stream only grows, and a page or a ledger entry is never written again. */
  #look(key: string, value: Partial<StreamDocument>, held: Held | undefined): number {
    if (key.startsWith('item:') && value.state)
      for (const each of checkStock([value as StreamDocument])) this.#violated(each);
    if (held && (key.startsWith('ledger:') || /:p\d+$/.test(key))) {
      this.#violated({ invariant: key.startsWith('ledger:') ? 'I5' : 'I10', subject: key, what: 'was written again' });
    }
    const { version, events } = value;
    if (version === undefined || events === undefined) return 0;
    if (held && held.version >= version) {
      const was = lastOf((JSON.parse(held.text) as StreamDocument).events);
      if (held.version > version || was !== lastOf(events)) {
        this.#violated({ invariant: 'I10', subject: key, what: `version ${held.version} was overwritten` });
      }
    }
    return version;
  }
}

function lastOf(events: readonly StoredEvent[]): string {
  return JSON.stringify(events.at(-1));
}
