// What this process wrote a moment ago.
import type { StreamDocument } from './document.ts';

/** Milliseconds for which a document is remembered. */
const AGE = 5_000;
/** Bytes of all that is remembered, as JSON; a document has up to 400 KB. */
const MOST_BYTES = 8_000_000;

interface Written {
  readonly document: StreamDocument;
  readonly bytes: number;
  readonly at: number;
}

export class Lately {
  /** In the order of writing. */
  readonly #written = new Map<string, Written>();
  #bytes = 0;

  /** Remembers what was written, so many bytes together with whatever went along, and forgets what is old or too much. */
  note(documents: readonly StreamDocument[], together: number): void {
    const bytes = together / documents.length;
    const at = performance.now();
    for (const document of documents) {
      this.#forget(document.key);
      this.#written.set(document.key, { document, bytes, at });
      this.#bytes += bytes;
    }
    for (const [key, known] of this.#written) {
      if (this.#bytes <= MOST_BYTES && at - known.at <= AGE) break;
      this.#forget(key);
    }
  }

  get(key: string): StreamDocument | undefined {
    const known = this.#written.get(key);
    return known && performance.now() - known.at <= AGE ? known.document : undefined;
  }

  #forget(key: string): void {
    this.#bytes -= this.#written.get(key)?.bytes ?? 0;
    this.#written.delete(key);
  }
}
