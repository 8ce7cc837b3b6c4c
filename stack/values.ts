// The one way of filling in `${NAME}` in resource files and settings: ports and paths, nothing else.
import { pathToFileURL } from 'node:url';
import { StackError } from './errors.ts';
import type { Layout } from './layout.ts';
import type { PortPlan } from './ports.ts';

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
    KAFKA_PORT: String(ports.broker), // a mesh has one broker
    DYNAMODB_ENDPOINT: `http://127.0.0.1:${ports.dynamodb}`,
    POSTGRES_HOST: postgres.host,
    POSTGRES_PORT: String(postgres.port),
    POSTGRES_SSLMODE: postgres.sslmode,
    SMTP_PORT: String(ports.smtp),
    CARD_PROVIDER_PORT: String(ports.cardProvider),
    REDIS_PORT: String(ports.redis),
  };
}

/**
 * Fills in `${NAME}`; `quote` makes a value fit its surroundings.
 * @throws StackError for a name that nobody knows.
 */
export function fillIn(text: string, values: Values, where: string, quote = (value: string) => value): string {
  return text.replaceAll(/\$\{([A-Z_]+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) {
      throw new StackError(`${where} asks for ${whole}, which nobody provides.`, 'Known names are in stack/values.ts.');
    }
    return quote(value);
  });
}
