// What stands in for the outside world: the mail server with an inbox to look into, and the card provider.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PortPlan } from './ports.ts';
import { accepts, answers } from './probe.ts';
import type { Secrets } from './secrets.ts';
import type { ProcessSpec } from './supervised.ts';
import type { Values } from './values.ts';

interface Options {
  readonly values: Values;
  readonly ports: PortPlan;
  readonly secrets: Secrets;
  readonly logFile: string;
  readonly env: Record<string, string>;
}

/** Room enough for them, and 40 MiB less than Node takes by itself. */
const smallHeap = ['--max-semi-space-size=2', '--max-old-space-size=128'];

/** maildev: SMTP for the binding, its inbox in a browser. */
export function mailProcess({ values, ports, logFile, env }: Options): ProcessSpec {
  const folder = join(String(values.RUN), 'mail');
  mkdirSync(folder, { recursive: true });
  return {
    name: 'mail',
    file: process.execPath,
    args: [
      ...smallHeap,
      join(String(values.ROOT), 'node_modules/maildev/dist/bin/maildev.js'),
      ...['--smtp', String(ports.smtp), '--web', String(ports.mailWeb), '--ip', '127.0.0.1', '--web-ip', '127.0.0.1'],
      // daprd's binding would try a STARTTLS that is offered
      ...['--hide-extensions', 'STARTTLS', '--max-emails', '1000', '--mail-directory', folder, '--silent'],
    ],
    env,
    logFile,
    stopSignal: 'SIGTERM',
    stopWithinMs: 2_000,
    isReady: async () => (await accepts(ports.smtp)) && (await accepts(ports.mailWeb)),
  };
}

/** The simulator of the card provider; its book survives a restart. */
export function cardProviderProcess({ values, ports, secrets, logFile, env }: Options): ProcessSpec {
  return {
    name: 'card-provider',
    file: process.execPath,
    args: [...smallHeap, join(String(values.ROOT), 'tests/simulators/card-provider/main.ts')],
    env: {
      ...env,
      PORT: String(ports.cardProvider),
      DATA_FILE: join(String(values.DATA), 'card-provider.json'),
      WEBHOOK_URL: `${values.URL}/api/v1/webhooks/provider`,
      WEBHOOK_SECRET: String(secrets['provider-webhook-secret']),
      API_KEY: String(secrets['provider-api-key']),
    },
    logFile,
    stopSignal: 'SIGTERM',
    stopWithinMs: 3_000,
    isReady: () => answers(`http://127.0.0.1:${ports.cardProvider}/healthz`, 200),
  };
}
