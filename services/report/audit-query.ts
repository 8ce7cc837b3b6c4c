// Questions to the audit: who changed what and when, and whether the record is still what was written.
import type { Database, Param } from '#kit/views/database';
import { AUDIT, auditView, digestOf, GENESIS } from './audit-view.ts';

/** A place in the audit, newest first. */
export type AuditPlace = readonly [at: string, position: number];

export interface AuditQuestion {
  /** The id of what changed, or of the order that it was done for, or the key of one stream (`order:<id>`). */
  readonly subject?: string | undefined;
  /** ISO 8601; `from` included, `to` not. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Undefined: every shop, and what concerns none. */
  readonly shops?: readonly string[] | undefined;
  readonly after?: AuditPlace | undefined;
  readonly limit: number;
}

/** One field of the event's content, against the event before it of the same stream; absent: it was or is not there. */
export interface Change {
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface AuditRow {
  readonly position: number;
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly stream: string;
  readonly version: number;
  readonly shopId: string | null;
  readonly correlationId: string;
  readonly causationId: string;
  readonly changes: readonly Change[];
  readonly hash: string;
}

/** Rows, newest first. @throws {Fault} the database is out of reach */
export function auditRows(database: Database, question: AuditQuestion): Promise<AuditRow[]> {
  const { subject, from, to, shops, after, limit } = question;
  const params: Param[] = [];
  const where: string[] = [];
  const add = (condition: string, ...values: Param[]) => {
    where.push(condition.replace(/\?/g, () => `$${params.push(values.shift() as Param)}`));
  };
  if (shops) add('shop_id = any(?::text[])', shops);
  if (from !== undefined) add('at >= ?::text::timestamptz', from);
  if (to !== undefined) add('at < ?::text::timestamptz', to);
  if (after) add('(at, position) < (?::text::timestamptz, ?::bigint)', ...after);
  const condition = where.map((each) => ` and ${each}`).join('');
  const order = `order by at desc, position desc limit ${Math.trunc(limit)}`;
  let rows = `select * from ${AUDIT} where true${condition} ${order}`;
  if (subject !== undefined) {
    const asked = `$${params.push(subject)}`;
    const own = [
      `subject = ${asked}`,
      `order_id = ${asked}`,
      `position in (select position from events where stream = ${asked})`,
    ];
    // Index scans that end after a page each: an `or` would sort everything that was ever done to the subject.
    rows = own.map((each) => `(select * from ${AUDIT} where ${each}${condition} ${order})`).join(' union ');
  }
  return database.query<AuditRow>(
    `select page.position, event.id, ${instant('page.at')} as at, actor, type, source, subject, event.stream, event.version,
       shop_id as "shopId", correlation_id as "correlationId", causation_id as "causationId",
       coalesce((
         select json_agg(jsonb_build_object('field', field)
             || case when earlier.value is null then '{}' else jsonb_build_object('before', earlier.value) end
             || case when later.value is null then '{}' else jsonb_build_object('after', later.value) end order by field)
         from jsonb_each(coalesce(before.data, '{}')) as earlier(field, value)
         full join jsonb_each(event.data) as later(field, value) using (field)
         where earlier.value is distinct from later.value
       ), '[]') as changes,
       encode(hash, 'hex') as hash
     from (${rows}) page join events event using (position)
     left join lateral (
       select data from events earlier where earlier.stream = event.stream and earlier.version = event.version - 1
     ) before on true
     ${order.replaceAll('at desc', 'page.at desc').replaceAll(', position', ', page.position')}`,
    params,
  );
}

/** Every digit of an instant: a place in the list has to name it exactly. */
function instant(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** What a walk over a part of the chain found. */
export interface Verification {
  /** The last position that was looked at; where to go on. */
  readonly position: number;
  readonly rows: number;
  /** Nothing follows. */
  readonly ended: boolean;
  /** The first positions that are not as they were written, at most 100. */
  readonly broken: readonly { readonly position: number; readonly problem: 'CHANGED' | 'REMOVED' | 'INSERTED' }[];
  /** Hash of the last row, hexadecimal; null: there is none. */
  readonly head: string | null;
}

/**
 * Walks the chain after a position, at most so many rows. A row is good if its hash follows from the row before it and
 * the event of its position. An event without a row, up to the checkpoint of the view, was taken out of the audit; a row
 * without an event, or after the checkpoint, was put in or lost its event. The checkpoint is kept apart from the rows, so
 * that the last row is missed as well.
 * @throws {Fault} the database is out of reach
 */
export async function verify(database: Database, after: number, most: number): Promise<Verification> {
  const [found] = await database.query<Verification>(
    `with stand as materialized (
       select coalesce((select position from view_checkpoints where view = '${auditView.name}'), 0) as checkpoint
     ),
     part as materialized (
       select position from (
         (select position from events where position > $1::bigint and position <= (select checkpoint from stand) order by position limit $2::int)
         union (select position from ${AUDIT} where position > $1::bigint order by position limit $2::int)
         union select checkpoint from stand where checkpoint > $1::bigint
       ) known order by position limit $2::int
     ),
     linked as (
       select kept.*, digest, coalesce(lag(hash) over (order by kept.position), (
         select hash from ${AUDIT} where position <= $1::bigint order by position desc limit 1), ${GENESIS}) as previous
       from part join ${AUDIT} kept on kept.position = part.position
         and kept.position > $1::bigint and kept.position <= (select max(position) from part)
       left join lateral (select ${digestOf('event', 'kept')} as digest from events event where event.position = kept.position) own on true
     ),
     checked as (
       select part.position, hash, case
         when hash is null then 'REMOVED'
         when digest is null or part.position > checkpoint then 'INSERTED'
         when hash <> sha256(previous || digest) then 'CHANGED'
       end as problem
       from part cross join stand left join linked using (position)
     )
     select coalesce(max(position), $1::bigint) as position, count(*) as rows, count(*) < $2::int as ended,
       coalesce((select json_agg(worst) from (
         select position, problem from checked where problem is not null order by position limit 100
       ) worst), '[]') as broken,
       (select encode(hash, 'hex') from checked where hash is not null order by position desc limit 1) as head
     from checked`,
    [after, most],
  );
  return found as Verification;
}
