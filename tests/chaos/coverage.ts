// Which process was disturbed while an order was in which step of the saga, by what the stores remember of the orders.
import type { Evidence } from '../invariants/evidence.ts';
import { streamsOfKind } from '../invariants/evidence.ts';
import { processNames } from './deck.ts';

/** A fault while it was in force, in milliseconds since 1970. */
export interface Disturbance {
  readonly fault: string;
  readonly hits: readonly string[];
  readonly from: number;
  to: number;
}

interface Step {
  readonly name: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** The saga of an order as its events show it. */
export const steps: readonly Step[] = [
  { name: 'placed>reserved', from: ['order.placed'], to: ['stock.reserved'] },
  { name: 'placed>rejected', from: ['order.placed'], to: ['stock.rejected'] },
  { name: 'rejected>cancelled', from: ['stock.rejected'], to: ['order.cancelled'] },
  { name: 'reserved>captured', from: ['stock.reserved'], to: ['payment.captured'] },
  { name: 'reserved>failed', from: ['stock.reserved'], to: ['payment.failed'] },
  { name: 'failed>released', from: ['payment.failed'], to: ['stock.released'] },
  { name: 'released>cancelled', from: ['stock.released'], to: ['order.cancelled'] },
  { name: 'captured>confirmed', from: ['payment.captured'], to: ['order.confirmed'] },
  { name: 'confirmed>committed', from: ['order.confirmed'], to: ['stock.committed'] },
  { name: 'cancelled>released', from: ['order.cancelled'], to: ['stock.released', 'reservation.closed'] },
  { name: 'cancelled>uncommitted', from: ['order.cancelled'], to: ['stock.uncommitted'] },
  { name: 'cancelled>voided', from: ['order.cancelled'], to: ['payment.voided', 'payment.cancellation-noted'] },
  { name: 'cancelled>refunded', from: ['order.cancelled'], to: ['payment.refunded'] },
  {
    name: 'decided>told',
    from: ['order.confirmed', 'order.cancelled'],
    to: ['notification.sent', 'notification.skipped'],
  },
];

/** When each event of an order was recorded, in milliseconds since 1970. */
export type History = ReadonlyMap<string, number>;

/** The histories of all orders, by id. */
export function historiesOf({ services }: Evidence): Map<string, History> {
  const found = new Map<string, Map<string, number>>();
  for (const [appId, kind] of [
    ['order', 'order'],
    ['inventory', 'reservation'],
    ['payment', 'payment'],
    ['notification', 'notification'],
  ] as const) {
    const service = services.get(appId);
    if (!service) continue;
    for (const [id, { events }] of streamsOfKind(service, kind)) {
      for (const { type, at, data } of events) {
        const orderId = (data as { orderId?: string } | null)?.orderId ?? id;
        const history = found.get(orderId) ?? new Map<string, number>();
        found.set(orderId, history);
        if (!history.has(type)) history.set(type, Date.parse(at));
      }
    }
  }
  return found;
}

/** Cells of the table: how many orders were in a step while a process was disturbed. */
export type Coverage = Record<string, Record<string, number>>;

export function emptyCoverage(): Coverage {
  return Object.fromEntries(
    processNames.map((name) => [name, Object.fromEntries(steps.map((step) => [step.name, 0]))]),
  );
}

/** Longer than any step under any fault: a longer one was written by a clock that was wrong. */
const LONGEST_STEP_MS = 150_000;

/** Counts, for every disturbance, the orders that were in each step while it was in force. */
export function coverageOf(histories: Iterable<History>, disturbances: readonly Disturbance[]): Coverage {
  const cells = emptyCoverage();
  for (const history of histories) {
    for (const step of steps) {
      const [from, to] = intervalOf(history, step) ?? [];
      if (from === undefined || to === undefined || to - from > LONGEST_STEP_MS) continue;
      for (const disturbance of disturbances) {
        if (from > disturbance.to || to < disturbance.from) continue;
        for (const name of disturbance.hits) {
          const row = cells[rowOf(name)];
          if (row) row[step.name] = (row[step.name] ?? 0) + 1;
        }
      }
    }
  }
  return cells;
}

function intervalOf(history: History, { from, to }: Step): [number, number] | undefined {
  const begins = from.map((type) => history.get(type)).filter((at) => at !== undefined);
  const ends = to.map((type) => history.get(type)).filter((at) => at !== undefined);
  const begin = Math.min(...begins);
  const end = Math.min(...ends.filter((at) => at >= begin));
  return Number.isFinite(begin) && Number.isFinite(end) ? [begin, end] : undefined;
}

/** `order-2-dapr` is a second `order-dapr`. */
function rowOf(name: string): string {
  return name.replace(/-\d+(-dapr)?$/, '$1');
}

export function addCoverage(into: Coverage, more: Coverage): void {
  for (const [name, row] of Object.entries(more)) {
    const own = into[name];
    if (own) for (const [step, count] of Object.entries(row)) own[step] = (own[step] ?? 0) + count;
  }
}

/** `payment-dapr: captured>confirmed` for each cell without an order. */
export function emptyCells(coverage: Coverage): string[] {
  return Object.entries(coverage).flatMap(([name, row]) =>
    Object.entries(row).flatMap(([step, count]) => (count === 0 ? [`${name}: ${step}`] : [])),
  );
}
