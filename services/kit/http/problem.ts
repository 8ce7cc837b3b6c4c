// The one table from a stable code to an HTTP status, and the RFC 9457 document made of it.
import type { Refusal } from '../errors.ts';

interface Row {
  readonly status: number;
  readonly title: string;
}

/** Every code a client may meet. A refusal whose code is not here is a programming error and answers 500. */
export const problems = {
  VALIDATION_FAILED: { status: 400, title: 'The request does not have the shape that this route takes' },
  MALFORMED_REQUEST: { status: 400, title: 'The request cannot be read' },
  IDEMPOTENCY_KEY_MISSING: { status: 400, title: 'This route needs an Idempotency-Key of 1 to 255 characters' },
  TOO_MANY_LINES: { status: 400, title: 'Too many lines' },
  RANGE_TOO_WIDE: { status: 400, title: 'The range asked for is too wide' },
  RANGE_INVALID: { status: 400, title: 'The range ends before it begins' },
  AMOUNT_TOO_LARGE: { status: 400, title: 'An amount leaves the range of exact integers' },
  LINE_TOTAL_NEGATIVE: { status: 400, title: 'Discounts exceed what the line costs' },
  OCCURRED_IN_FUTURE: { status: 400, title: 'The sale lies in the future' },
  TENDER_NOT_ALLOWED: { status: 400, title: 'This channel does not take that tender' },
  DUPLICATE_LINES: { status: 400, title: 'The same sku stands in more than one line' },
  PASSWORD_TOO_COMMON: { status: 400, title: 'The password is one that many people use' },
  MAIL_TOKEN_INVALID: { status: 400, title: 'The token of the mail is not valid any more' },
  SIGNATURE_INVALID: { status: 400, title: 'The signature does not fit the body' },
  UNAUTHENTICATED: { status: 401, title: 'A valid access token is needed' },
  CREDENTIALS_INVALID: { status: 401, title: 'E-mail address or password is wrong' },
  REFRESH_TOKEN_INVALID: { status: 401, title: 'The refresh token is not valid any more' },
  FORBIDDEN: { status: 403, title: 'The caller may not do this' },
  NOT_FOUND: { status: 404, title: 'There is nothing here' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This route does not take that method' },
  ALREADY_EXISTS: { status: 409, title: 'It exists already' },
  STOCK_INSUFFICIENT: { status: 409, title: 'Not enough stock' },
  REFERENCE_BOOKED: { status: 409, title: 'The reference was booked with another body' },
  ORDER_FULFILLED: { status: 409, title: 'Goods of the order have been handed out' },
  TRANSFER_RECEIVED: { status: 409, title: 'What arrived of the transfer was booked with other lines' },
  ORDER_CANCELLED: { status: 409, title: 'The order is cancelled' },
  ORDER_NOT_CONFIRMED: { status: 409, title: 'The order is not confirmed' },
  ORDER_RETURNED: { status: 409, title: 'Goods of the order have come back: only returns remain' },
  FULFILMENT_EXCEEDS: { status: 409, title: 'More than is left to be handed out' },
  RETURN_EXCEEDS: { status: 409, title: 'More than was bought and has not come back' },
  RETURN_WINDOW_CLOSED: { status: 409, title: 'The time for returns is over' },
  TOO_MANY_PARTS: { status: 409, title: 'The order was handed out or has come back in too many parts' },
  LETTER_SETTLED: { status: 409, title: 'The dead letter is settled' },
  LETTER_UNREADABLE: { status: 409, title: 'The dead letter holds no message that can be replayed' },
  EARLIER_LETTER_OPEN: { status: 409, title: 'An earlier message of the same stream is to be settled first' },
  ROLE_BUILT_IN: { status: 409, title: 'The role is built in' },
  REBUILD_RUNNING: { status: 409, title: 'The view is being rebuilt' },
  PRECONDITION_FAILED: { status: 412, title: 'The record has another version' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'This content type is not taken here' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The Idempotency-Key was used with another request' },
  COUPON_UNKNOWN: { status: 422, title: 'The coupon is not known' },
  PRODUCT_UNKNOWN: { status: 422, title: 'The product is not known' },
  SKU_NOT_ORDERED: { status: 422, title: 'The order has no such sku' },
  PRICE_UNKNOWN: { status: 422, title: 'The product has no price here' },
  ROLE_UNKNOWN: { status: 422, title: 'There is no such role' },
  SHOP_UNKNOWN: { status: 422, title: 'The shop is not known' },
  CURRENCY_MISMATCH: { status: 422, title: 'Another currency than the shop sells in' },
  PRECONDITION_REQUIRED: { status: 428, title: 'If-Match with the version is needed' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The header fields are too large' },
  INTERNAL: { status: 500, title: 'Something is wrong on our side' },
  OVERLOADED: { status: 503, title: 'Too much to do right now: repeat later with the same Idempotency-Key' },
  UNAVAILABLE: { status: 503, title: 'Not possible right now: repeat with the same Idempotency-Key' },
} as const satisfies Record<string, Row>;

export type Code = keyof typeof problems;

/** One field that is wrong. `pointer` is a JSON pointer (RFC 6901) into the body, or `/<name>` of a parameter or header. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
  readonly in?: 'query' | 'path' | 'header';
}

/** An RFC 9457 problem document with our members `code`, `traceId` and `errors`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly traceId: string;
  readonly errors?: readonly FieldError[];
  readonly [extension: string]: unknown;
}

/** Where a problem happened. */
export interface Scene {
  readonly path: string;
  readonly traceId: string;
}

const reserved = new Set(['type', 'title', 'status', 'detail', 'instance', 'code', 'traceId']);

/** True when the code has a row, so that it may leave the house. */
export function isCode(code: string): code is Code {
  return Object.hasOwn(problems, code);
}

/** The `type` of every problem with this code. */
export function typeOf(code: Code): string {
  return `urn:retail-erp:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}

/**
 * The problem document of a refusal. Members of `refusal.detail` become extension members, except `text`, which is the
 * human sentence (`detail` of RFC 9457).
 */
export function problemOf(refusal: Refusal, scene: Scene): Problem {
  const code: Code = isCode(refusal.refused) ? refusal.refused : 'INTERNAL';
  const { status, title } = problems[code];
  const { text, ...rest } = code === refusal.refused ? (refusal.detail ?? {}) : {};
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([name]) => !reserved.has(name))),
    type: typeOf(code),
    title,
    status,
    detail: typeof text === 'string' ? text : title,
    instance: scene.path,
    code,
    traceId: scene.traceId,
  };
}
