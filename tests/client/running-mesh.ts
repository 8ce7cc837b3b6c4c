// The mesh that runs on this machine, for the tools that people start beside it: its address and the secrets in its
// data folder. Every failure says what to do.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Gateway, type GatewayOptions } from './gateway.ts';
import { person } from './identity.ts';
import { ProblemError } from './problem.ts';

/** The options that say which mesh, for `parseArgs`. */
export const meshOptions = {
  url: { type: 'string', default: 'http://127.0.0.1:8000' },
  profile: { type: 'string', default: 'local' },
  data: { type: 'string' },
} as const;

/** Their lines of a tool's help. */
export const meshHelp = `  --url <url>          the gateway (http://127.0.0.1:8000)
  --profile <name>     whose secrets to use: .data/<name>/secrets.json (local)
  --data <folder>      the data folder, when npm start was given another one`;

export interface WhichMesh {
  readonly url: string;
  readonly profile: string;
  readonly data?: string | undefined;
}

/** Wrong use or a missing system: its message is for who started the tool, and needs no stack. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

/** Secrets by name. @throws {ToolError} there are none: nothing was started on that folder */
export function readSecrets({ profile, data }: WhichMesh): Readonly<Record<string, string>> {
  const file = resolve(data ?? join('.data', profile), 'secrets.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ToolError(`cannot read ${file}: start the system first with npm start`, { cause });
  }
}

/** @throws {ToolError} the profile has no such secret */
export function secretOf(secrets: Readonly<Record<string, string>>, name: string): string {
  const secret = secrets[name];
  if (secret) return secret;
  throw new ToolError(
    `the secrets of this profile have no ${name}: is the system older than this tool? (npm start -- --fresh)`,
  );
}

/** @throws {ToolError} no gateway is there; one that is still starting counts */
export async function assertRuns(url: string): Promise<void> {
  const asked = fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(3_000) });
  const runs = await asked.then(
    (response) => response.status < 500,
    () => false,
  );
  if (!runs) {
    throw new ToolError(
      `Nothing answers at ${url}. Start the system with "npm start", or name its address with --url.`,
    );
  }
}

/** The gateway of the running mesh as its admin. Close it. @throws {ToolError} */
export async function asAdmin(
  mesh: WhichMesh,
  options: Omit<GatewayOptions, 'baseUrl' | 'identity'> = {},
): Promise<Gateway> {
  const password = secretOf(readSecrets(mesh), 'demo-password');
  await assertRuns(mesh.url);
  const identity = person('admin@demo.test', password);
  const gateway = new Gateway({ baseUrl: mesh.url, identity, ...options });
  try {
    await identity.token(gateway);
  } catch (cause) {
    await gateway.close();
    const refused = cause instanceof ProblemError && cause.status < 500;
    const why = refused ? 'does not take the password of this data folder: is it of another system?' : 'cannot log in';
    throw new ToolError(`The system at ${mesh.url} ${why} (${(cause as Error).message})`, { cause });
  }
  return gateway;
}
