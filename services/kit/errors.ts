// The one family of failures. A refusal is an answer and travels as a value; a fault is thrown and repeated.

/** A business "no": an answer, never thrown, never counted by a breaker. `code` is stable, `detail` is data for the caller. */
export interface Refusal {
  readonly refused: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Makes a refusal. `code` must stand in the table of `http/problem.ts`. */
export function refuse(code: string, detail?: Readonly<Record<string, unknown>>): Refusal {
  return detail === undefined ? { refused: code } : { refused: code, detail };
}

/** Tells a refusal from any other value. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && typeof (value as Refusal).refused === 'string';
}

/** Something that may well succeed if it is done again: store, broker or another service out of reach. HTTP 503, message RETRY. */
export class Fault extends Error {
  override readonly name: string = 'Fault';
  /** Seconds after which a client should try again (`Retry-After`). */
  readonly retryAfter: number;
  constructor(message: string, options: { cause?: unknown; retryAfter?: number } = {}) {
    super(message, { cause: options.cause });
    this.retryAfter = options.retryAfter ?? 1;
  }
}

/** There is more to do than can be carried: whoever comes now is turned away at once. HTTP 503 with a code of its own. */
export class Overload extends Fault {
  override readonly name = 'Overload';
}

/** A guarded write met another version. The state must be read again and the decision made again. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
}

/** A message that can never be handled: wrong contract, too large. It goes to the dead letters at once. */
export class Poison extends Error {
  override readonly name = 'Poison';
  readonly reason: string;
  constructor(reason: string, options: { cause?: unknown } = {}) {
    super(reason, options);
    this.reason = reason;
  }
}

/** What went wrong, in the words of the innermost error that says something: for repairers, never for clients. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? causeOf(error.cause) : error.message;
}
