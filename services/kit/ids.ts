// Ids that a repeat meets again: uuid v5 over what makes the thing what it is.
import { createHash, hash } from 'node:crypto';
import { validate } from 'uuid';

/** The namespace of all our name-based ids (RFC 9562, version 5). */
export const NAMESPACE = '3f0a4f0c-6d3e-5a8b-9a50-5b0b7c1e4a11';
const namespaceBytes = Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex');

/** A uuid v5 of the parts. The separator cannot be in a part by accident: each part is length-prefixed. */
export function idOf(...parts: readonly string[]): string {
  // By hand: every event has such an id, and the uuid package takes five times as long for it.
  const name = Buffer.from(parts.map((part) => `${part.length}:${part}`).join('|'), 'utf8');
  const hex = hash('sha1', Buffer.concat([namespaceBytes, name]), 'hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** True for the form of our name-based and random ids: other text names nothing, and some stores refuse it as a key. */
export function isUuid(text: string): boolean {
  return validate(text);
}

/** A client's text as part of a store key: base64url, or `h_` and its SHA-256 when longer than 64 bytes. */
export function keyPart(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length > 64
    ? `h_${createHash('sha256').update(bytes).digest('base64url')}`
    : bytes.toString('base64url');
}

/** A number from 0 to `buckets` - 1, always the same for the text: spreads streams over partitions. */
export function bucketOf(text: string, buckets: number): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) % buckets;
}

/** SHA-256 of a JSON value whose keys are put in order, so that equal bodies have equal hashes. */
export function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(ordered(value)))
    .digest('base64url');
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, ordered(v)]),
  );
}
