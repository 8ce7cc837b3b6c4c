// A PostgreSQL database behind `bindings.postgresql`: the read side's only door.
// Its traps: tests/conformance/views.test.ts.
import type { Patience, Reply, Sidecar } from '../dapr/sidecar.ts';
import { Fault } from '../errors.ts';

/** A statement's parameter. Integers above 2^53 and money beyond it travel as text. */
export type Param = string | number | boolean | null | readonly unknown[] | Record<string, unknown>;

/**
 * PostgreSQL read the statement and will never take it with these values: malformed, out of range, against a constraint,
 * too large. Any other fault (a full disk, no connection, a deadlock, a missing table) says nothing about the values.
 */
export class ValuesRefused extends Fault {
  override readonly name = 'ValuesRefused';
}

/** Classes of SQLSTATE that blame the values: cardinality, data, integrity, program limits. */
const BLAMES_VALUES = /\(SQLSTATE (21|22|23|54)\w{3}\)"\}\s*$/;

export class Database {
  readonly #sidecar: Sidecar;
  readonly #binding: string;

  constructor(sidecar: Sidecar, binding: string) {
    this.#sidecar = sidecar;
    this.#binding = binding;
  }

  /**
   * Rows of a SELECT as objects (snake_case columns as they are). The binding swallows errors that come while rows are
   * read and answers what it has; one aggregated row tells "no rows" from "failed".
   * @throws {Fault} the database did not answer, or refused the statement.
   */
  async query<Row>(sql: string, params: readonly Param[] = []): Promise<Row[]> {
    const whole = `select coalesce(json_agg(row_to_json(answer)), '[]'::json) from (${sql}) answer`;
    const { body } = await this.#run('query', whole, params);
    const rows = body.length > 0 ? (JSON.parse(body.toString('utf8')) as [[Row[]]?]) : [];
    if (!rows[0]) throw new Fault(`${this.#binding} gave no answer to a query`);
    return rows[0][0];
  }

  /**
   * Runs one writing statement (or several without parameters), all or nothing. Answers how many rows the (last)
   * statement itself wrote, not its CTEs. @throws {ValuesRefused} it can never be done. @throws {Fault} it was not done.
   */
  async exec(sql: string, params: readonly Param[] = [], patience: Patience = {}): Promise<number> {
    const { headers } = await this.#run('exec', sql, params, patience);
    return Number(headers['metadata.rows-affected'] ?? 0);
  }

  async #run(
    operation: 'query' | 'exec',
    sql: string,
    params: readonly Param[],
    patience: Patience = {},
  ): Promise<Reply> {
    const metadata = params.length > 0 ? { sql, params: JSON.stringify(params) } : { sql };
    try {
      return await this.#sidecar.bind(this.#binding, operation, metadata, '', patience);
    } catch (error) {
      if (!(error instanceof Fault) || !BLAMES_VALUES.test(error.message)) throw error;
      throw new ValuesRefused(error.message, { cause: error.cause });
    }
  }
}
