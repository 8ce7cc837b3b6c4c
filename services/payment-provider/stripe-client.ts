// The official Stripe client, sent through the sidecar: the provider's address is the HTTPEndpoint `card-provider` of Dapr.
import Stripe from 'stripe';

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

/**
 * A client whose every request is an invocation of `card-provider`. It repeats nothing by itself: who repeats, and when,
 * is decided by the payment's work sweep alone.
 */
export function stripeThroughSidecar(settings: StripeSettings): Stripe {
  const send = settings.fetch ?? globalThis.fetch;
  const throughSidecar: typeof fetch = (url, init) => {
    // A Headers object, not a spread: the client hands over a list of pairs, which a spread would lose.
    const headers = new Headers(init?.headers);
    headers.set('dapr-app-id', PROVIDER_ENDPOINT);
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
