// The database of a service's list views in memory: it keeps what projections write, and a test says what it finds.

type Row = Readonly<Record<string, unknown>>;

/** A statement other than those that every table needs. */
export interface Query {
  readonly sql: string;
  readonly params: readonly unknown[];
}

export interface FakeViews {
  /** A row as the projection wrote it. */
  row(table: string, id: string): Row | undefined;
  /** All rows of a table. */
  rows(table: string): Iterable<Row>;
  /** What was asked, oldest first; without the look for a row's version, which is answered from the rows. */
  readonly queries: Query[];
  /** Rows found by any other query; none unless told. */
  find: (query: Query) => readonly Row[];
  /** For `FakeSidecar.bindings`. */
  readonly binding: (operation: string, metadata: Record<string, string>) => unknown;
}

interface Table {
  /** Columns that allow no null. */
  readonly filled: readonly string[];
  readonly rows: Map<string, Row>;
}

/** An empty database. Like a real one it refuses rows with nothing where something must be. */
export function fakeViews(): FakeViews {
  const tables = new Map<string, Table>();
  const tableOf = (name: string): Table => {
    const table = tables.get(name);
    if (!table) throw new Error(`relation "${name}" does not exist`);
    return table;
  };

  function create(name: string, columns: string): void {
    if (!tables.has(name)) tables.set(name, { filled: filledOf(columns), rows: new Map() });
  }

  function exec(sql: string, params: readonly unknown[]): void {
    const [, created, columns] = /create table if not exists (\w+) \((.*), primary key \(id\)\)/.exec(sql) ?? [];
    const [, upserted] = /^insert into (\w+) /.exec(sql) ?? [];
    if (created && columns) create(created, columns);
    else if (upserted) for (const row of JSON.parse(String(params[0])) as Row[]) upsert(tableOf(upserted), row);
    else throw new Error(`not known here: ${sql}`);
  }

  function query(sql: string, params: readonly unknown[]): readonly Row[] {
    const [, versioned] = /^select version from (\w+) where id = \$1$/.exec(sql) ?? [];
    if (versioned) {
      const row = tableOf(versioned).rows.get(String(params[0]));
      return row ? [{ version: row.version }] : [];
    }
    views.queries.push({ sql, params });
    return views.find({ sql, params });
  }

  const views: FakeViews = {
    row: (table, id) => tableOf(table).rows.get(id),
    rows: (table) => tableOf(table).rows.values(),
    queries: [],
    find: () => [],
    binding(operation, { sql = '', params = '[]' }) {
      const values = JSON.parse(params) as unknown[];
      if (operation === 'exec') return exec(sql, values);
      const [, asked = ''] = / from \((.*)\) answer$/s.exec(sql) ?? [];
      return [[query(asked, values)]];
    },
  };
  return views;
}

function filledOf(columns: string): string[] {
  return columns.split(', ').flatMap((column) => (column.endsWith(' not null') ? (column.split(' ')[0] ?? []) : []));
}

function upsert({ filled, rows }: Table, row: Row): void {
  const empty = filled.filter((column) => row[column] === undefined || row[column] === null);
  if (empty.length > 0) throw new Error(`null in ${empty.join(', ')} (SQLSTATE 23502)`);
  const before = rows.get(String(row.id));
  if (Number(before?.version ?? 0) < Number(row.version)) rows.set(String(row.id), row);
}
