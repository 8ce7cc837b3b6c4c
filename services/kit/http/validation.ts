// From what came over the wire to what a zod schema promises; what does not fit becomes `errors[]` of the problem.
import { z } from 'zod';
import { type Refusal, refuse } from '../errors.ts';
import { isStorable } from './body.ts';
import type { FieldError } from './problem.ts';

/** Where a value came from. */
export type Place = 'body' | 'query' | 'path' | 'header';

/** At most this many wrong fields are named; the rest would help nobody. */
const MAX_ERRORS = 50;

/** Checks a value. The value is wrapped, so that a body can never be taken for a refusal. */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
  place: Place,
): { readonly value: z.output<S> } | Refusal {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data };
  const errors = parsed.error.issues.flatMap((issue) => fieldErrors(issue, place)).slice(0, MAX_ERRORS);
  return refuse('VALIDATION_FAILED', { errors });
}

/** A refusal for one header or parameter, or for one field of the body. */
export function wrongField(name: string, detail: string, place: Place = 'body'): Refusal {
  const where = place === 'body' ? {} : { in: place };
  const error: FieldError = { pointer: pointerOf([name]), detail, ...where };
  return refuse('VALIDATION_FAILED', { errors: [error] });
}

function fieldErrors(issue: z.core.$ZodIssue, place: Place): FieldError[] {
  const where = place === 'body' ? {} : { in: place };
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), detail: 'Unknown field', ...where }));
  }
  return [{ pointer: pointerOf(issue.path), detail: issue.message, ...where }];
}

/** A JSON pointer (RFC 6901); the whole document is the empty text. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * Reads a query string by its schema: a name that may stand several times is an array there, numbers and booleans are
 * read as such, a name that the schema does not know is refused, and so is a single value given twice.
 */
export function readQuery<S extends z.ZodObject>(schema: S, search: string): { value: z.output<S> } | Refusal {
  const given = pairsOf(search);
  if (given === undefined) return refuse('MALFORMED_REQUEST', { text: 'The query string cannot be decoded' });
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, texts] of given) {
    const field = Object.hasOwn(schema.shape, name) ? (schema.shape[name] as z.ZodType) : undefined;
    if (field === undefined) return wrongField(name, 'Unknown parameter', 'query');
    const kind = kindOf(field);
    if (kind.type === 'array') {
      values[name] = texts.map((text) => read(text, kind.element));
    } else {
      if (texts.length > 1) return wrongField(name, 'Given more than once', 'query');
      values[name] = read(texts[0] as string, kind.type);
    }
  }
  return check(schema, { ...values }, 'query');
}

/** Reads path parameters (already decoded) by their schema. */
export function readParams<S extends z.ZodObject>(schema: S, params: Readonly<Record<string, string>>) {
  const values = Object.entries(params).map(([name, text]) => {
    const field = schema.shape[name] as z.ZodType | undefined;
    return [name, field ? read(text, kindOf(field).type) : text];
  });
  return check(schema, Object.fromEntries(values), 'path');
}

/** Stops a route from being defined with a request schema that lets unknown fields pass. @throws {Error} */
export function assertStrict(schema: z.ZodType, where: string): void {
  const seen = new Set<z.ZodType>();
  const visit = (part: unknown, path: string): void => {
    if (!(part instanceof z.ZodType) || seen.has(part)) return;
    seen.add(part);
    if (part instanceof z.ZodObject) {
      if (part.def.catchall?._zod.def.type !== 'never') {
        throw new Error(`${where}: ${path || 'the schema'} lets unknown fields pass; use z.strictObject`);
      }
      for (const [name, field] of Object.entries(part.shape)) visit(field, `${path}/${name}`);
      return;
    }
    const def = part.def as unknown as Record<string, unknown>;
    for (const key of ['innerType', 'element', 'valueType', 'in', 'left', 'right']) visit(def[key], path);
    if (Array.isArray(def.options)) for (const option of def.options) visit(option, path);
    if (Array.isArray(def.items)) for (const item of def.items) visit(item, path);
  };
  visit(schema, '');
}

function pairsOf(search: string): Map<string, string[]> | undefined {
  const pairs = new Map<string, string[]>();
  for (const part of search.replace(/^\?/, '').split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    try {
      const name = decode(at < 0 ? part : part.slice(0, at));
      const value = decode(at < 0 ? '' : part.slice(at + 1));
      if (!isStorable(name) || !isStorable(value)) return undefined;
      const texts = pairs.get(name);
      if (texts) texts.push(value);
      else pairs.set(name, [value]);
    } catch {
      return undefined;
    }
  }
  return pairs;
}

/** Strict decoding: URLSearchParams would replace wrong bytes silently. */
function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function read(text: string, type: string | undefined): unknown {
  if (type === 'number' && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** What a schema wants on the wire, below optional, default and the like. */
function kindOf(schema: unknown): { type: string; element?: string | undefined } {
  let def = (schema as z.ZodType).def as unknown as Record<string, unknown> & { type: string };
  for (;;) {
    const inner = def.innerType ?? (def.type === 'pipe' ? def.in : undefined);
    if (!(inner instanceof z.ZodType)) break;
    def = inner.def as unknown as typeof def;
  }
  return def.type === 'array' ? { type: 'array', element: kindOf(def.element).type } : { type: def.type };
}
