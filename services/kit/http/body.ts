// Reading what the client sent: bytes within a limit, as UTF-8, as JSON that cannot hurt.
import type { IncomingMessage } from 'node:http';
import { type Refusal, refuse } from '../errors.ts';

/** The limit of a body unless the route says otherwise. */
export const DEFAULT_MAX_BODY = 256 * 1024;

/** Containers in containers: more than any of our documents needs, less than what makes recursion dangerous. */
const MAX_DEPTH = 20;

/** So much of a body that is too large is still read, since many clients listen only after they have sent everything. */
const MAX_DISCARDED = 8 * 1024 * 1024;

/** Reads the whole body. More than `limit` bytes, announced or sent: PAYLOAD_TOO_LARGE. @throws when the client goes. */
export async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer | Refusal> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > MAX_DISCARDED) return tooLarge(limit);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else if (size > MAX_DISCARDED) break;
    else chunks.length = 0;
  }
  if (size > limit) return tooLarge(limit);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size);
}

/** Tells whether a content type is JSON in UTF-8; anything else is 415 (a charset is not decoded by guess). */
export function isJson(contentType: string | undefined): boolean {
  const [type, ...parameters] = (contentType ?? '').toLowerCase().split(';');
  return type?.trim() === 'application/json' && parameters.every((p) => /^\s*charset="?utf-8"?\s*$/.test(p));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Parses a JSON body. Refuses wrong UTF-8, deep nesting, `__proto__` keys, and text that no store can hold. */
export function parseJson(bytes: Buffer): { readonly value: unknown } | Refusal {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return malformed('The body is not UTF-8');
  }
  if (depthOf(text) > MAX_DEPTH) return malformed(`The body is nested deeper than ${MAX_DEPTH}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed('The body is not JSON');
  }
  // Both can only come in by an escape or by this very name, so most bodies are never walked.
  if ((text.includes('\\u') || text.includes('__proto__')) && !isHarmless(value)) {
    return malformed('The body holds text or a key that is not allowed (NUL, half a surrogate pair, __proto__)');
  }
  return { value };
}

/** True for text that every store can hold: PostgreSQL refuses NUL, and half a surrogate pair is no UTF-8. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** True for a JSON value that every store can hold and no prototype hides in. */
export function isHarmless(value: unknown): boolean {
  if (typeof value === 'string') return isStorable(value);
  if (Array.isArray(value)) return value.every(isHarmless);
  if (value === null || typeof value !== 'object') return true;
  return Object.entries(value).every(([key, inner]) => key !== '__proto__' && isStorable(key) && isHarmless(inner));
}

/** The deepest nesting of brackets outside strings, found without recursion and before anything is built. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x7d || c === 0x5d) depth--;
  }
  return deepest;
}

function malformed(text: string): Refusal {
  return refuse('MALFORMED_REQUEST', { text });
}

function tooLarge(limit: number): Refusal {
  return refuse('PAYLOAD_TOO_LARGE', { text: `The body is larger than ${limit} bytes`, limit });
}
