// Passwords and tokens of the local profile: generated at the first start, kept in the data folder, never in the repository.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './errors.ts';
import type { Deployable } from './services.ts';

export type Secrets = Readonly<Record<string, string>>;

/** Shops of the demo data; each has a till that is an OAuth client `till-<shop>`. */
export const demoShops = ['shop-343', 'shop-361', 'shop-367', 'shop-406', 'web'] as const;

/** Text that is safe in a connection string, a header and a shell. */
const generate = (): string => randomBytes(24).toString('base64url').replace(/^-/, 'x');

/**
 * Reads `secrets.json` of the data folder and adds what is missing. `DEMO_PASSWORD` in the environment wins over the file.
 * @throws StackError when the file cannot be read as a flat JSON object of texts.
 */
export function loadSecrets(dataDir: string, table: readonly Deployable[], environment = process.env): Secrets {
  const file = join(dataDir, 'secrets.json');
  const kept = existsSync(file) ? parse(file) : {};
  const wanted = secretNames(table);
  const secrets: Record<string, string> = { ...kept };
  for (const name of wanted) secrets[name] ??= generate();
  if (environment.DEMO_PASSWORD) secrets['demo-password'] = environment.DEMO_PASSWORD;
  const text = `${JSON.stringify(secrets, null, 2)}\n`;
  if (text !== `${JSON.stringify(kept, null, 2)}\n`) writePrivate(file, text);
  return secrets;
}

/** Writes a file that only its owner may read, whole or not at all. */
export function writePrivate(file: string, text: string): void {
  const draft = `${file}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}

/** The secrets a sidecar may read: those it asks for by name, or by a beginning with `*`. */
export function secretsFor(secrets: Secrets, wanted: readonly string[]): Secrets {
  const matches = (name: string) =>
    wanted.some((wish) => (wish.endsWith('*') ? name.startsWith(wish.slice(0, -1)) : name === wish));
  return Object.fromEntries(Object.entries(secrets).filter(([name]) => matches(name)));
}

/** Name of the password of a PostgreSQL role. */
export const postgresSecret = (role: string): string => `postgres-${role.replaceAll('_', '-')}`;

function secretNames(table: readonly Deployable[]): string[] {
  return [
    'auth-key-encryption',
    'demo-password',
    'provider-api-key',
    'provider-webhook-secret',
    postgresSecret('superuser'),
    ...demoShops.map((shop) => `till-${shop}`),
    ...table.flatMap(({ appId, databases }) => [
      `dapr-api-token-${appId}`,
      `app-api-token-${appId}`,
      ...databases.map(postgresSecret),
    ]),
  ];
}

function parse(file: string): Record<string, string> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value === 'object' && value !== null && Object.values(value).every((v) => typeof v === 'string')) {
      return value as Record<string, string>;
    }
  } catch (cause) {
    throw new StackError(`${file} cannot be read: ${(cause as Error).message}`, remedy, cause);
  }
  throw new StackError(`${file} is not a flat JSON object of texts.`, remedy);
}

const remedy = 'Mend the file, or begin anew with --fresh (this deletes the local data).';
