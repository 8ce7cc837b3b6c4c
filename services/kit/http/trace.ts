// Who is asking, as far as tracing goes: request id and W3C trace context.
import { randomUUID } from 'node:crypto';

export interface Trace {
  /** Echoed as `X-Request-Id`: the client's when it is sane, else ours. */
  readonly requestId: string;
  /** 32 hex digits. */
  readonly traceId: string;
  /** The trace context of our own span, sent on with calls and kept in events. */
  readonly traceparent: string;
}

const sane = /^[A-Za-z0-9][A-Za-z0-9._~:+/=@-]{0,127}$/;
/** Version 00 of W3C Trace Context: a later version may carry more fields, ff is forbidden. */
const context = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?$/;

/** Continues the caller's trace, or begins one when there is none or it is not valid (W3C Trace Context, section 3.2). */
export function traceOf(requestId: string | undefined, traceparent: string | undefined): Trace {
  const parts = traceparent === undefined ? null : context.exec(traceparent);
  const traceId = parts?.[1] ?? randomHex();
  const flags = parts?.[2] ?? '01';
  return {
    requestId: requestId !== undefined && sane.test(requestId) ? requestId : randomUUID(),
    traceId,
    traceparent: `00-${traceId}-${randomHex().slice(16)}-${flags}`,
  };
}

/** 32 hex digits. Uuids come from a pool of random bytes, which is several times cheaper than asking for some each time. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}
