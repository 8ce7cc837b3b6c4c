// What a handler returns: a status, a body and what the headers say about it.

/** An answer that is not a refusal. Made by the functions below. */
export class Answer<B = unknown> {
  readonly status: number;
  readonly body: B;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, body: B, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export interface AnswerOptions {
  /** The record's version: becomes the `ETag`, and 304 when the caller has it already. */
  readonly version?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The view has not seen the caller's own write yet (`X-Stale: true`). */
  readonly stale?: boolean | undefined;
  /** The answer first given to this Idempotency-Key (`Idempotent-Replayed: true`). */
  readonly replayed?: boolean | undefined;
}

/** 200 with a body. */
export function ok<B>(body: B, options: AnswerOptions = {}): Answer<B> {
  return new Answer(200, body, headersOf(options));
}

/** 201 with a `Location` (a path under the gateway's root) and the new record. */
export function created<B>(location: string, body: B, options: AnswerOptions = {}): Answer<B> {
  return new Answer(201, body, { location, ...headersOf(options) });
}

/** 202: accepted, the effect follows. */
export function accepted<B>(body: B, options: AnswerOptions = {}): Answer<B> {
  return new Answer(202, body, headersOf(options));
}

/** 204 without a body. */
export function noContent(options: AnswerOptions = {}): Answer<null> {
  return new Answer(204, null, headersOf(options));
}

/** The strong validator of a version (RFC 9110 section 8.8.3). */
export function etagOf(version: number): string {
  return `"${version}"`;
}

function headersOf(options: AnswerOptions): Record<string, string> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.version !== undefined) headers.etag = etagOf(options.version);
  if (options.stale) headers['x-stale'] = 'true';
  if (options.replayed) headers['idempotent-replayed'] = 'true';
  return headers;
}
