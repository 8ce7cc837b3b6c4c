// A list view: one row per stream (or per line of stock), replaced by whatever event is newer than the row.
import { setTimeout as pause } from 'node:timers/promises';
import type { Database, Param } from './database.ts';

export interface TableDefinition {
  readonly name: string;
  /** Column name to PostgreSQL type; a trailing `?` allows null. `id` and `version` must be among them. */
  readonly columns: Readonly<Record<string, string>>;
  /** Further statements, safe to repeat: indexes. */
  readonly indexes?: readonly string[];
  /** For a table that keeps what its rows are made of: fills a column that is new in a table that is there. */
  readonly remake?: Remake;
}

export interface Remake {
  /** The column that is new. A row that has it is left alone. */
  readonly lacking: string;
  /** The column with what a row is made of. */
  readonly from: string;
  readonly rowOf: (source: never, version: number) => Row;
}

/** A row to be written; every column of the definition. */
export type Row = { readonly id: string; readonly version: number } & Readonly<Record<string, Param>>;

const REMADE_AT_ONCE = 500;

export class Table {
  readonly definition: TableDefinition;
  readonly database: Database;
  readonly #upsert: string;

  constructor(database: Database, definition: TableDefinition) {
    this.database = database;
    this.definition = definition;
    this.#upsert = upsertOf(definition);
  }

  /**
   * Creates what is missing; safe to repeat and to run in two replicas at once. A column that is new and allows null is
   * added to a table that is there: its rows get it with their next event, or now if the definition says how.
   * @throws {Fault} the database is out of reach, or its table lacks a column that allows no null: rows would be buried
   */
  async create(): Promise<void> {
    const { name, columns, indexes } = this.definition;
    const list = Object.entries(columns).map(([column, type]) =>
      type.endsWith('?') ? `${column} ${type.slice(0, -1)}` : `${column} ${type} not null`,
    );
    const statements = [
      `create table if not exists ${name} (${list.join(', ')}, primary key (id))`,
      ...Object.entries(columns)
        .filter(([, type]) => type.endsWith('?'))
        .map(([column, type]) => `alter table ${name} add column if not exists ${column} ${type.slice(0, -1)}`),
      `do $$ begin perform ${Object.keys(columns).join(', ')} from ${name} limit 0; end $$`,
      ...(indexes ?? []),
    ];
    await this.database.exec(`select pg_advisory_xact_lock(7352); ${statements.join('; ')}`);
    if (this.definition.remake) await this.#remake(this.definition.remake);
  }

  /** A row that an event replaced in the meantime has the column by that. */
  async #remake({ lacking, from, rowOf }: Remake): Promise<void> {
    const { name } = this.definition;
    const sql = `select version, ${from} as source from ${name} where ${lacking} is null limit ${REMADE_AT_ONCE}`;
    for (;;) {
      const old = await this.database.query<{ version: number; source: never }>(sql);
      if (old.length === 0) return;
      const rows = old.map(({ version, source }) => rowOf(source, version));
      if (rows.some((row) => row[lacking] === null)) throw new Error(`${name}: a row is remade without ${lacking}`);
      await this.database.exec(upsertOf(this.definition, '<='), [JSON.stringify(rows)]);
    }
  }

  /** Writes rows in one statement; a row that is not newer than the stored one changes nothing. */
  async write(rows: readonly Row[]): Promise<void> {
    const newest = new Map<string, Row>();
    for (const row of rows) if ((newest.get(row.id)?.version ?? -1) < row.version) newest.set(row.id, row);
    if (newest.size === 0) return;
    // In one order, or two replicas that write the same rows could each wait for the other.
    const inOrder = [...newest.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    // As one JSON text: as a JSON value the sidecar would parse and print it again.
    await this.database.exec(this.#upsert, [JSON.stringify(inOrder)]);
  }

  /** True as soon as the row has that version, false after `milliseconds` (`X-Min-Version`). */
  async reached(id: string, version: number, milliseconds = 1_000): Promise<boolean> {
    const end = performance.now() + milliseconds;
    for (let wait = 25; ; wait = Math.min(wait * 2, 200)) {
      const sql = `select version from ${this.definition.name} where id = $1`;
      const [row] = await this.database.query<{ version: number }>(sql, [id]);
      if ((row?.version ?? 0) >= version) return true;
      if (performance.now() + wait > end) return false;
      await pause(wait);
    }
  }
}

function upsertOf({ name, columns }: TableDefinition, olderBy: '<' | '<=' = '<'): string {
  const names = Object.keys(columns);
  const typed = Object.entries(columns).map(([column, type]) => `${column} ${type.replace('?', '')}`);
  const others = names.filter((column) => column !== 'id').map((column) => `${column} = excluded.${column}`);
  return (
    `insert into ${name} (${names.join(', ')}) ` +
    `select ${names.join(', ')} from jsonb_to_recordset($1::jsonb) as fresh(${typed.join(', ')}) ` +
    `on conflict (id) do update set ${others.join(', ')} where ${name}.version ${olderBy} excluded.version`
  );
}
