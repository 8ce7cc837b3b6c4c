// Settings come from the environment, are checked once at start, and name the variable that is wrong.
import { z } from 'zod';

/** A setting is missing or wrong. The message names the variable and never shows its value, which may be a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A TCP port given as text. */
export const Port = z.coerce.number().int().min(1).max(65_535);

/** `true` or `false`; anything else is a mistake, not a no. */
export const Flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** Words separated by commas; empty ones are left out. */
export const Words = z.string().transform((text) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== ''),
);

/** What the runner gives every service (`stack/app-processes.ts`). */
export const ServiceConfig = z.object({
  APP_ID: z.string().min(1),
  APP_PORT: Port,
  DAPR_HTTP_PORT: Port,
  /** Sent to the sidecar as `dapr-api-token`. */
  DAPR_API_TOKEN: z.string().optional(),
  /** Sent by the sidecar as `dapr-api-token`; other callers are refused. */
  APP_API_TOKEN: z.string().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});
export type ServiceConfig = z.output<typeof ServiceConfig>;

/**
 * Reads and checks settings; an empty variable counts as not set.
 * @throws {ConfigError} one line that names every variable that is missing or wrong
 */
export function readConfig<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv = process.env): z.output<S> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path: [name = '?'], message }) =>
    name in given ? `${String(name)} is wrong: ${message}` : `${String(name)} is not set`,
  );
  throw new ConfigError(`configuration: ${lines.join('; ')}`);
}
