// The last statement of a rebuild: it meets the live view, compares, and takes its place.
import { foldOf, type Place, tablesOf } from './folding.ts';

/** The name of the table and of the checkpoint of a view that is being rebuilt. */
export function shadowOf({ definition, table, checkpoint }: Place): Place {
  return { definition, table: `${table}_rebuilt`, checkpoint: `${checkpoint}:rebuild`, behind: checkpoint };
}

/** Rows of a view and a hash over them that does not depend on their order, as one record. */
function summaryOf(place: Place): string {
  const rows = tablesOf(place).map((table) => `select kept::text as kept from ${table} kept`);
  return `select count(*) as rows, md5(count(*) || ':' || coalesce(sum(('x' || left(md5(kept), 16))::bit(64)::bigint::numeric), 0)) as hash
    from (${rows.join(' union all ')}) kept`;
}

/** The new table takes the name of the old one, and so do its indexes. */
function swapOf(live: string, shadow: string): string {
  return `
  drop table ${live};
  alter table ${shadow} rename to ${live};
  for known in select indexname from pg_indexes where schemaname = current_schema() and tablename = '${live}' loop
    execute format('alter index %I rename to %I', known, replace(known, '${shadow}', '${live}'));
  end loop;`;
}

/**
 * Several statements, all or nothing. Writers of the live table wait from the first of them, so that both tables can be
 * compared at one position; readers wait only for the exchange itself, and then find the new table under the old name.
 * The lock is the first thing taken: a fold that is under way holds it too, and has all that it needs.
 */
export function exchangeOf(live: Place, shadow: Place): string {
  const view = live.definition.name;
  return `
lock table ${live.table} in share row exclusive mode;
${foldOf([shadow]).replace('$1::int', '2000000000')};
do $exchange$
declare own record; other record; known text;
begin
  ${summaryOf(shadow).replace(' from', ' into own from')};
  ${summaryOf(live).replace(' from', ' into other from')};
  update view_rebuilds set state = 'done', finished_at = clock_timestamp(), rows = own.rows, hash = own.hash,
    live_rows = other.rows, live_hash = other.hash,
    position = (select position from view_checkpoints where view = '${shadow.checkpoint}')
    where view = '${view}' and state = 'running';
  if not found then raise exception 'no rebuild of ${view} is under way'; end if;
  ${tablesOf(live)
    .map((table, n) => swapOf(table, tablesOf(shadow)[n] as string))
    .join('')}
  delete from view_skips where view = '${live.checkpoint}';
  update view_skips set view = '${live.checkpoint}' where view = '${shadow.checkpoint}';
  delete from view_checkpoints where view = '${shadow.checkpoint}';
end $exchange$`;
}
