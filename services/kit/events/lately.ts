// What this process wrote a moment ago.
import type { StreamDocument } from './document.ts';

/** Milliseconds for which a document is remembered. */
const AGE = 5_000;
/** Characters of all that is remembered, as JSON; a document has up to 400 KB. */
const MOST_LENGTH = 8_000_000;

interface Written {
  readonly document: StreamDocument;
  readonly length: number;
  readonly at: number;
}

export class Lately {
  /** In the order of writing. */
  readonly #written = new Map<string, Written>();
  #length = 0;

  /** Remembers what was written, and forgets what is old or too much. */
  note(documents: readonly StreamDocument[]): void {
    const at = performance.now();
    for (const document of documents) {
      this.#forget(document.key);
      const { length } = JSON.stringify(document);
      this.#written.set(document.key, { document, length, at });
      this.#length += length;
    }
    for (const [key, known] of this.#written) {
      if (this.#length <= MOST_LENGTH && at - known.at <= AGE) break;
      this.#forget(key);
    }
  }

  get(key: string): StreamDocument | undefined {
    const known = this.#written.get(key);
    return known && performance.now() - known.at <= AGE ? known.document : undefined;
  }

  #forget(key: string): void {
    this.#length -= this.#written.get(key)?.length ?? 0;
    this.#written.delete(key);
  }
}
