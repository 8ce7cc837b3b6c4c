// Bodies of a given size that look like records: a sidecar that parses JSON works per field, not per byte.
import type { Size } from './step.ts';

const cache = new Map<number, readonly object[]>();

/** JSON of about so many bytes, many fields to it. The same object for the same size: it is never changed. */
export function filler([fixed, perLine]: Size, lines: number): readonly object[] {
  const bytes = fixed + perLine * lines;
  const known = cache.get(bytes);
  if (known) return known;
  const row = { sku: '1000237', quantity: 1, unitPrice: 299, at: '2017-01-03T10:11:12.345Z', note: 'a line as any' };
  const rows = Array.from({ length: Math.max(1, Math.round(bytes / (JSON.stringify(row).length + 1))) }, () => row);
  cache.set(bytes, rows);
  return rows;
}
