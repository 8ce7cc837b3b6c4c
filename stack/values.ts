// The one way of filling in `${NAME}` in resource files and settings: ports, paths and secrets, nothing else.
import { pathToFileURL } from 'node:url';
import { StackError } from './errors.ts';
import type { Layout } from './layout.ts';
import type { PortPlan } from './ports.ts';
import type { Secrets } from './secrets.ts';

export type Values = Readonly<Record<string, string>>;

/** Where PostgreSQL is: our own, or the one of POSTGRES_URL. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly sslmode: string;
}

export function placeholders(layout: Layout, ports: PortPlan, base: number, postgres: PostgresAddress): Values {
  return {
    ROOT: layout.root,
    DATA: layout.data,
    DATA_URI: pathToFileURL(layout.data).pathname, // for `file:` addresses: a blank or % in the path is encoded
    RUN: layout.run,
    URL: `http://127.0.0.1:${base}`,
    BROKER_PORT: String(ports.broker),
    POSTGRES_HOST: postgres.host,
    POSTGRES_PORT: String(postgres.port),
    POSTGRES_SSLMODE: postgres.sslmode,
    SMTP_PORT: String(ports.smtp),
    CARD_PROVIDER_PORT: String(ports.cardProvider),
  };
}

/**
 * Fills in `${NAME}` and `${secret:key}`; `quote` makes a value fit its surroundings.
 * @throws StackError for a name that nobody knows.
 */
export function fillIn(
  text: string,
  values: Values,
  {
    where,
    secrets = {},
    quote = (value) => value,
  }: { where: string; secrets?: Secrets; quote?: (v: string) => string },
): string {
  return text.replaceAll(/\$\{(secret:)?([A-Za-z0-9_-]+)\}/g, (whole, secret: string | undefined, name: string) => {
    const value = secret ? secrets[name] : values[name];
    if (value === undefined) {
      throw new StackError(`${where} asks for ${whole}, which nobody provides.`, 'Known names are in stack/values.ts.');
    }
    return quote(value);
  });
}
