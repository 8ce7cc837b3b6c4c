// The official Stripe client, sent through the sidecar: the provider's address is the HTTPEndpoint `card-provider` of Dapr.
import { AsyncLocalStorage } from 'node:async_hooks';
import Stripe from 'stripe';
import { plainFetch } from '#kit/dapr/plain-fetch';

/** App-id of Dapr for the provider: the name of the HTTPEndpoint resource. */
export const PROVIDER_ENDPOINT = 'card-provider';

export type StripeSettings = {
  /** Port of the sidecar's HTTP API on 127.0.0.1. */
  sidecarPort: number;
  /** Proves to the sidecar that we are its app (`dapr-api-token`); undefined when the sidecar asks for none. */
  sidecarToken: string | undefined;
  apiKey: string;
  /** Milliseconds for one call, answer read to its end. */
  timeoutMs: number;
  fetch?: typeof fetch;
};

/** The client takes no header for a single call, so the trace context of a request travels beside it. */
const traces = new AsyncLocalStorage<string>();

/** Does the work with its calls to the provider in the trace of `traceparent` (W3C Trace Context). */
export function traced<T>(traceparent: string, work: () => Promise<T>): Promise<T> {
  return traces.run(traceparent, work);
}

/**
 * A client whose every request is an invocation of `card-provider`. It repeats nothing by itself: who repeats, and when,
 * is decided by the payment's work sweep alone.
 */
export function stripeThroughSidecar(settings: StripeSettings): Stripe {
  const send = settings.fetch ?? plainFetch();
  const throughSidecar: typeof fetch = (url, init) => {
    // A Headers object, not a spread: the client hands over a list of pairs, which a spread would lose.
    const headers = new Headers(init?.headers);
    headers.set('dapr-app-id', PROVIDER_ENDPOINT);
    const traceparent = traces.getStore();
    if (traceparent) headers.set('traceparent', traceparent);
    if (settings.sidecarToken !== undefined) headers.set('dapr-api-token', settings.sidecarToken);
    return send(url, { ...init, headers });
  };
  return new Stripe(settings.apiKey, {
    host: '127.0.0.1',
    port: settings.sidecarPort,
    protocol: 'http',
    // The fetch client: the client for node:http repeats a closed connection even when told to repeat nothing.
    httpClient: Stripe.createFetchHttpClient(throughSidecar),
    maxNetworkRetries: 0,
    timeout: settings.timeoutMs,
    telemetry: false,
  });
}
