// A list view: one row per stream (or per line of stock), replaced by whatever event is newer than the row.
import { setTimeout as pause } from 'node:timers/promises';
import type { Database, Param } from './database.ts';

export interface TableDefinition {
  readonly name: string;
  /** Column name to PostgreSQL type; a trailing `?` allows null. `id` and `version` must be among them. */
  readonly columns: Readonly<Record<string, string>>;
  /** Further statements, `if not exists`: indexes. */
  readonly indexes?: readonly string[];
}

/** A row to be written; every column of the definition. */
export type Row = { readonly id: string; readonly version: number } & Readonly<Record<string, Param>>;

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
   * added to a table that is there: its rows get it with their next event.
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
  }

  /** Writes rows in one statement; a row that is not newer than the stored one changes nothing. */
  async write(rows: readonly Row[]): Promise<void> {
    const newest = new Map<string, Row>();
    for (const row of rows) if ((newest.get(row.id)?.version ?? -1) < row.version) newest.set(row.id, row);
    // As one JSON text: as a JSON value the sidecar would parse and print it again.
    if (newest.size > 0) await this.database.exec(this.#upsert, [JSON.stringify([...newest.values()])]);
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

function upsertOf({ name, columns }: TableDefinition): string {
  const names = Object.keys(columns);
  const typed = Object.entries(columns).map(([column, type]) => `${column} ${type.replace('?', '')}`);
  const others = names.filter((column) => column !== 'id').map((column) => `${column} = excluded.${column}`);
  return (
    `insert into ${name} (${names.join(', ')}) ` +
    `select ${names.join(', ')} from jsonb_to_recordset($1::jsonb) as fresh(${typed.join(', ')}) ` +
    `on conflict (id) do update set ${others.join(', ')} where ${name}.version < excluded.version`
  );
}
