// What may pass the gateway, by allow-list: what is not named stays outside, and what a service adds stays inside.
import type { IncomingHttpHeaders } from 'node:http';
import type { Trace } from '#kit/http/trace';

const inbound = [
  'accept',
  'authorization',
  'content-type',
  'content-encoding',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'prefer',
  'user-agent', // the name of a session for its owner
  'x-min-version',
];

const outbound = [
  'allow',
  'cache-control',
  'content-type',
  'deprecation',
  'etag',
  'idempotent-replayed',
  'link',
  'location',
  'preference-applied',
  'retry-after',
  'sunset',
  'www-authenticate',
  'x-stale',
];

type Headers = Record<string, string>;

/**
 * The headers for the service. Never among them: `dapr-*` (a client's `dapr-app-id` would beat the path), forwarded
 * addresses, hop-by-hop fields. The trace is the gateway's own span.
 */
export function toService(headers: IncomingHttpHeaders, trace: Trace, more: readonly string[] = []): Headers {
  const passed: Headers = { 'x-request-id': trace.requestId, traceparent: trace.traceparent };
  for (const name of [...inbound, ...more]) {
    const value = headers[name];
    if (typeof value === 'string') passed[name] = value;
  }
  return passed;
}

/** The headers for the client. */
export function toClient(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const passed: Headers = {};
  for (const name of outbound) {
    const value = headers[name];
    if (value !== undefined) passed[name] = String(value);
  }
  return passed;
}
