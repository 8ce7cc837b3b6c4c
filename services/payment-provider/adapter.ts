// The way to the provider, open once the sidecar has given the secrets: until then every use is a fault, and /readyz says so.
import type { Sidecar } from '#kit/dapr/sidecar';
import { Fault } from '#kit/errors';
import type { Log } from '#kit/log';
import { untilDone } from '#kit/until-done';
import { type CardProvider, cardProvider } from './provider.ts';
import { stripeThroughSidecar } from './stripe-client.ts';

export type Adapter = {
  provider: CardProvider;
  /** One, or two while it is being changed. */
  webhookSecrets: readonly string[];
};

export type AdapterSettings = {
  sidecarPort: number;
  sidecarToken: string | undefined;
  /** Milliseconds for one call of the provider. */
  timeoutMs: number;
};

const SECRET_STORE = 'secretstore';
const API_KEY = 'provider-api-key';
/** May hold two secrets, separated by a comma, while the provider changes to a new one. */
const WEBHOOK_SECRET = 'provider-webhook-secret';

/** The adapter of a process. `open` asks for the secrets until they are there. */
export function adapterOf(sidecar: Pick<Sidecar, 'secret'>, settings: AdapterSettings, log: Log) {
  let adapter: Adapter | undefined;

  const opened = async (): Promise<Adapter> => {
    const [apiKey, webhookSecrets] = await Promise.all([
      sidecar.secret(SECRET_STORE, API_KEY),
      sidecar.secret(SECRET_STORE, WEBHOOK_SECRET),
    ]);
    return {
      provider: cardProvider(stripeThroughSidecar({ ...settings, apiKey })),
      webhookSecrets: webhookSecrets.split(',').filter((secret) => secret !== ''),
    };
  };

  return {
    /** Resolves when the secrets are there, or when `until` says that it is of no use any more. */
    open(until?: () => boolean): Promise<void> {
      const build = async () => {
        adapter = await opened();
      };
      return untilDone('the secrets of the provider', log, build, until);
    },
    isOpen: (): boolean => adapter !== undefined,
    /** @throws Fault while the secrets are not there yet. */
    get(): Adapter {
      if (adapter === undefined) throw new Fault('the secrets of the card provider are not there yet');
      return adapter;
    },
  };
}
