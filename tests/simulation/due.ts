// What the services' sweeps ask of their list views, answered from the rows that the projections wrote.
import type { FakeViews, Query } from '../../services/kit/testing/fake-views.ts';

type Row = Readonly<Record<string, unknown>>;

const MOST = 100;

/** @throws {Error} a query that is not known here: a sweep has changed. */
export function dueIn(views: FakeViews, { sql, params }: Query, now: Date): readonly Row[] {
  const at = (row: Row, column: string) => Date.parse(String(row[column]));
  const rows = (table: string, wanted: (row: Row) => boolean) => [...views.rows(table)].filter(wanted).slice(0, MOST);
  const older = (row: Row) => at(row, 'at') < now.getTime() - 1_000 * Number(params[0]);
  if (sql === 'select 1 as one') return [{ one: 1 }];
  if (/ from orders where status = 'placed' and deadline_at <= /.test(sql)) {
    return rows('orders', (row) => row.status === 'placed' && at(row, 'deadline_at') <= Date.parse(String(params[0])));
  }
  if (/ from payments where pending and at < /.test(sql))
    return rows('payments', (row) => row.pending === true && older(row));
  if (/ from movements where open and at < /.test(sql))
    return rows('movements', (row) => row.open === true && older(row));
  if (/ from notifications where due_at <= now\(\) and id > \$1 /.test(sql)) {
    const due = (row: Row) =>
      row.due_at !== null && at(row, 'due_at') <= now.getTime() && String(row.id) > String(params[0]);
    return [...views.rows('notifications')]
      .filter(due)
      .sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
      .slice(0, MOST);
  }
  throw new Error(`the simulation does not know this query: ${sql}`);
}
