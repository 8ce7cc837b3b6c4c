// The saga report: how long each step takes, and where orders fail.
import type { Database } from '#kit/views/database';
import { type instants, SAGA } from './saga-view.ts';

type Instant = keyof typeof instants;

/** From one instant of an order to a later one. */
const steps: Readonly<Record<string, readonly [from: Instant, to: Instant]>> = {
  reserve: ['placed', 'reserved'],
  capture: ['reserved', 'captured'],
  confirm: ['captured', 'confirmed'],
  commit: ['confirmed', 'committed'],
  reject: ['placed', 'rejected'],
  decline: ['reserved', 'failed'],
  release: ['failed', 'released'],
  cancel: ['placed', 'cancelled'],
  uncommit: ['cancelled', 'uncommitted'],
  refund: ['cancelled', 'refunded'],
  whole: ['placed', 'confirmed'],
};
export const stepNames = Object.keys(steps);

/** How far an order had come when it failed: the last of these that is true. */
export const stages = ['stock', 'payment', 'confirmation', 'fulfilment'] as const;

/** More orders than this are not looked at: their durations would have to be sorted. */
export const MOST_ORDERS = 200_000;

export interface SagaQuestion {
  /** Days, both included, `YYYY-MM-DD`, on which orders were placed. */
  readonly from: string;
  readonly to: string;
  /** Undefined: every shop. */
  readonly shops?: readonly string[] | undefined;
}

/** Milliseconds from the event that ends the step before to the one that ends this one. */
export interface Duration {
  readonly step: string;
  readonly orders: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface SagaReport {
  readonly orders: number;
  readonly confirmed: number;
  readonly cancelled: number;
  /** Neither confirmed nor cancelled. */
  readonly open: number;
  /** Steps that some order has taken. */
  readonly steps: readonly Duration[];
  /** `step`: what did not happen any more. */
  readonly failures: readonly {
    readonly step: (typeof stages)[number];
    readonly reason: string;
    readonly orders: number;
  }[];
}

const duration = (step: string, [from, to]: readonly [Instant, Instant]) => {
  // Clocks of two services may differ: no step takes less than no time.
  const took = `greatest(0, extract(epoch from ${to} - ${from}) * 1000)`;
  const quantile = (q: number) => `round(percentile_cont(${q}) within group (order by ${took}))::bigint`;
  return `select '${step}' as step, count(${took}) as orders, ${quantile(0.5)} as p50, ${quantile(0.95)} as p95,
    round(max(${took}))::bigint as max from asked where ${from} is not null and ${to} is not null having count(*) > 0`;
};

const SQL = `with asked as materialized (
  select * from ${SAGA} where day between $1::date and $2::date and ($3::text[] is null or shop_id = any($3::text[]))
  limit ${MOST_ORDERS + 1}
),
failed as (
  select case when confirmed is not null then 'fulfilment' when captured is not null then 'confirmation'
    when reserved is not null then 'payment' else 'stock' end as step, coalesce(reason, 'UNKNOWN') as reason
  from asked where cancelled is not null
)
select count(*) as orders, count(confirmed) filter (where cancelled is null) as confirmed, count(cancelled) as cancelled,
  count(*) filter (where confirmed is null and cancelled is null) as open,
  (select coalesce(json_agg(row_to_json(each)), '[]') from (${Object.entries(steps)
    .map(([step, ends]) => duration(step, ends))
    .join('\n  union all ')}) each) as steps,
  (select coalesce(json_agg(row_to_json(each)), '[]') from (
    select step, reason, count(*) as orders from failed group by step, reason order by orders desc, step, reason collate "C"
  ) each) as failures
from asked`;

/** Undefined: more than {@link MOST_ORDERS} orders. @throws {Fault} the database is out of reach */
export async function saga(database: Database, { from, to, shops }: SagaQuestion): Promise<SagaReport | undefined> {
  const [report] = await database.query<SagaReport>(SQL, [from, to, shops ?? null]);
  return report && report.orders <= MOST_ORDERS ? report : undefined;
}
