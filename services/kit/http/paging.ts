// Lists: `limit`, an opaque `cursor`, and an answer that says where the next page is.
import { z } from 'zod';
import { type Answer, type AnswerOptions, ok } from './answer.ts';
import { isHarmless } from './body.ts';

/** Items of a page: 20 unless told, at most 100. */
export const Limit = z.int().min(1).max(100).default(20);

/** Any place in a list as opaque text: base64url of JSON. */
export function encodeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place), 'utf8').toString('base64url');
}

/** The query parameter `cursor`, decoded and checked by the schema of what {@link encodeCursor} was given. */
export function Cursor<S extends z.ZodType>(place: S) {
  return z
    .string()
    .max(2_048)
    .transform((text, context): z.output<S> => {
      const parsed = place.safeParse(decoded(text));
      if (parsed.success && isHarmless(parsed.data)) return parsed.data;
      context.addIssue({ code: 'custom', message: 'Not a cursor of this list' });
      return z.NEVER;
    });
}

/** The two parameters of a list, to be spread into its query schema. */
export function paged<S extends z.ZodType>(place: S) {
  return { limit: Limit, cursor: Cursor(place).optional() };
}

/** The schema of a list's answer. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.strictObject({ items: z.array(item), next: z.string().nullable() });
}

/**
 * 200 with one page. `next`: the place where the next page begins, undefined at the end.
 * `call.url` is what the client asked for; the `Link` (RFC 8288) repeats it with the new cursor. `beside` goes into the
 * body beside the items.
 */
export function page<T, B extends object = object>(
  call: { readonly url: string },
  items: readonly T[],
  next: unknown,
  options: AnswerOptions = {},
  beside: B = {} as B,
): Answer<{ items: readonly T[]; next: string | null } & B> {
  if (next === undefined) return ok({ items, next: null, ...beside }, options);
  const cursor = encodeCursor(next);
  const [path, search] = call.url.split('?', 2);
  const query = new URLSearchParams(search);
  query.set('cursor', cursor);
  return ok(
    { items, next: cursor, ...beside },
    { ...options, headers: { ...options.headers, link: `<${path}?${query}>; rel="next"` } },
  );
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64url')));
  } catch {
    return undefined;
  }
}
