// PostgreSQL for a test file, by the runner's own launcher, with the repository's components for it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ownServer, postgresProcess, provision } from '../../stack/postgres.ts';
import type { Values } from '../../stack/values.ts';
import { freePort } from './ports.ts';
import { type Killable, Process } from './process.ts';
import { repositoryComponent } from './resources.ts';

export interface Postgres {
  readonly server: Killable;
  /** Components `statestore-payment` (state.postgresql v2), `views-order` (bindings.postgresql) and `secretstore`. */
  readonly resources: readonly string[];
  /** What the repository's components leave open. */
  readonly values: Values;
}

/** Right after a kill the dead server's children may still hold its shared memory: like the runner, tries again. */
class RestartableServer extends Process {
  override async start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await super.start();
      } catch (error) {
        if (attempt === 5) throw error;
        await pause(200);
      }
    }
  }
}

/** Starts a server in the folder. Stop it with `server.kill('SIGINT')`, after the sidecars. */
export async function startPostgres(folder: string): Promise<Postgres> {
  const passwords = ['superuser', 'payment', 'views-order'].map((role) => [`postgres-${role}`, `password-of-${role}`]);
  const secrets = { ...(Object.fromEntries(passwords) as Record<string, string>), 'provider-api-key': 'sk_test' };
  const secretsFile = join(folder, 'secrets.json');
  writeFileSync(secretsFile, JSON.stringify(secrets));
  const admin = ownServer(await freePort(), secrets);
  const { PATH = '', HOME = '' } = process.env;
  const server = new RestartableServer(
    postgresProcess({ dataDir: folder, admin, components: 4, logFile: '', env: { PATH, HOME } }),
  );
  await server.start();
  await provision(admin, ['payment', 'views_order'], secrets);
  const values = {
    POSTGRES_HOST: admin.host,
    POSTGRES_PORT: String(admin.port),
    POSTGRES_SSLMODE: admin.sslmode,
    SECRETS_FILE: secretsFile,
  };
  const resources = ['statestore-payment', 'views-order', 'secretstore'].map((file) =>
    repositoryComponent(file, values),
  );
  return { server, resources, values };
}
