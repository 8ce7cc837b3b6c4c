// What leaves and what comes back of a confirmed order: how many units, for how much money. Pure.
import { type Decision, type Refusal, refuse } from '#kit/events/aggregate';
import {
  type Condition,
  type Fulfilment,
  type Order,
  type OrderEvent,
  type OrderHead,
  type OrderSummary,
  type PlacedOrder,
  placedOf,
  type Return,
  type ReturnedUnits,
  type Units,
} from './order.ts';

/** Fulfilments of an order, and returns of it: its document holds them all. */
export const MOST_PARTS = 50;
/** Lines of all its fulfilments and returns together. */
export const MOST_PART_LINES = 1_500;
const DAY_MS = 86_400_000;

export interface Fulfil {
  readonly fulfilmentId: string;
  /** One for each sku; undefined: all that is left. */
  readonly lines: readonly Units[] | undefined;
}

export interface WantedReturn extends Units {
  readonly condition: Condition;
}

export interface TakeBack {
  readonly returnId: string;
  /** One for each sku and condition. */
  readonly lines: readonly WantedReturn[];
  readonly reason: string;
  /** ISO 8601. */
  readonly now: string;
  readonly windowDays: number;
}

/**
 * Hands goods out. Refuses with ORDER_NOT_CONFIRMED, ORDER_CANCELLED, ORDER_FULFILLED (nothing is left),
 * DUPLICATE_LINES, SKU_NOT_ORDERED, FULFILMENT_EXCEEDS or TOO_MANY_PARTS.
 */
export function fulfil(order: Order, { fulfilmentId, lines }: Fulfil): Decision<OrderEvent> {
  const closed = closedFor(order) ?? (order.status === 'fulfilled' ? refuse('ORDER_FULFILLED') : undefined);
  if (closed) return closed;
  const placed = placedOf(order);
  const left = leftToFulfil(placed);
  const given = lines ?? units(left);
  if (given.length === 0) return refuse('FULFILMENT_EXCEEDS', { text: 'Nothing is left to be handed out' });
  const wrong = checkLines(given, left, 'FULFILMENT_EXCEEDS') ?? checkRoom(placed.fulfilments, placed, given.length);
  if (wrong) return wrong;
  for (const { sku, quantity } of given) left.set(sku, (left.get(sku) ?? 0) - quantity);
  const fulfilment: Fulfilment = { fulfilmentId, lines: given.map(({ sku, quantity }) => ({ sku, quantity })) };
  return [{ type: 'order.fulfilled', data: { ...headOf(placed.summary), ...fulfilment, whole: isEmpty(left) } }];
}

/**
 * Takes goods back, handed out or not: they are sold since the order was confirmed. Refuses with ORDER_NOT_CONFIRMED,
 * ORDER_CANCELLED, RETURN_WINDOW_CLOSED, DUPLICATE_LINES, SKU_NOT_ORDERED, RETURN_EXCEEDS or TOO_MANY_PARTS.
 */
export function takeBack(order: Order, { returnId, lines, reason, now, windowDays }: TakeBack): Decision<OrderEvent> {
  const closed = closedFor(order);
  if (closed) return closed;
  const placed = placedOf(order);
  const until = new Date(Date.parse(windowFrom(placed)) + windowDays * DAY_MS).toISOString();
  if (now > until) return refuse('RETURN_WINDOW_CLOSED', { until });
  const wrong =
    checkLines(lines, leftToReturn(placed), 'RETURN_EXCEEDS') ?? checkRoom(placed.returns, placed, lines.length);
  if (wrong) return wrong;

  const before = returnedOf(placed);
  const left = leftToFulfil(placed);
  const out = handedOut(placed);
  const returned = lines.map(({ sku, quantity, condition }): ReturnedUnits => {
    const earlier = before.get(sku) ?? 0;
    before.set(sku, earlier + quantity);
    // What was handed out comes back first; beyond that it is what still lies here.
    const unfulfilled = Math.max(0, quantity - (out.get(sku) ?? 0));
    out.set(sku, (out.get(sku) ?? 0) - (quantity - unfulfilled));
    left.set(sku, (left.get(sku) ?? 0) - unfulfilled);
    const amount = chargedFor(placed.summary, sku, earlier + quantity) - chargedFor(placed.summary, sku, earlier);
    return { sku, quantity, condition, amount, unfulfilled };
  });
  const amount = returned.reduce((sum, line) => sum + line.amount, 0);
  const data: Return = { returnId, reason, lines: returned, amount };
  return [{ type: 'order.returned', data: { ...headOf(placed.summary), ...data, whole: isEmpty(left) } }];
}

/**
 * Minor units that were charged for the first so many units of a sku, line by line. Rounded down within a line, so that
 * its last unit takes the rest: all units together are exactly what was paid.
 */
export function chargedFor({ lines }: Pick<OrderSummary, 'lines'>, sku: string, quantity: number): number {
  let left = quantity;
  let charged = 0;
  for (const line of lines) {
    if (line.sku !== sku) continue;
    const taken = Math.min(left, line.quantity);
    // Beyond 2^53 on the way, exact again at the end: it is no more than the line's total.
    charged += Number((BigInt(line.total) * BigInt(taken)) / BigInt(line.quantity));
    left -= taken;
  }
  return charged;
}

/** Goods leave and come back of a confirmed order alone. */
function closedFor(order: Order): Refusal | undefined {
  switch (order.status) {
    case 'none':
      return refuse('NOT_FOUND');
    case 'placed':
      return refuse('ORDER_NOT_CONFIRMED');
    case 'cancelled':
      return refuse('ORDER_CANCELLED');
    default:
      return undefined;
  }
}

/** The sale, or whatever was handed out since: the later of them. */
function windowFrom({ summary, fulfilments }: PlacedOrder): string {
  const sold = new Date(summary.occurredAt ?? summary.placedAt).toISOString();
  const last = fulfilments?.at(-1)?.at ?? sold;
  return last > sold ? last : sold;
}

function checkLines(
  wanted: readonly (Units & { readonly condition?: Condition })[],
  left: ReadonlyMap<string, number>,
  code: string,
): Refusal | undefined {
  const seen = new Set<string>();
  const asked = new Map<string, number>();
  for (const [index, { sku, quantity, condition = '' }] of wanted.entries()) {
    const name = JSON.stringify([sku, condition]);
    if (seen.has(name)) return at('DUPLICATE_LINES', index, 'sku', 'It stands in an earlier line');
    seen.add(name);
    const most = left.get(sku);
    if (most === undefined) return at('SKU_NOT_ORDERED', index, 'sku', 'The order has no such sku');
    const sum = (asked.get(sku) ?? 0) + quantity;
    asked.set(sku, sum);
    if (sum > most) return at(code, index, 'quantity', `Of this sku ${most} are left`);
  }
  return undefined;
}

function at(code: string, index: number, field: string, detail: string): Refusal {
  return refuse(code, { errors: [{ pointer: `/lines/${index}/${field}`, detail }] });
}

/** The document of an order is bounded: decision 0001. */
function checkRoom(same: readonly unknown[] = [], order: PlacedOrder, lines: number): Refusal | undefined {
  const { fulfilments = [], returns = [] } = order;
  const kept = [...fulfilments, ...returns].reduce((sum, part) => sum + part.lines.length, 0);
  const full = same.length >= MOST_PARTS || kept + lines > MOST_PART_LINES;
  return full ? refuse('TOO_MANY_PARTS', { most: MOST_PARTS, mostLines: MOST_PART_LINES }) : undefined;
}

/** Units by sku that were bought, in the order of the basket. */
function boughtOf({ summary }: PlacedOrder): Map<string, number> {
  return totals(summary.lines);
}

/** Units by sku that may come back. */
function leftToReturn(order: PlacedOrder): Map<string, number> {
  return minus(boughtOf(order), returnedOf(order));
}

/** Units by sku that are to be handed out: not those that were taken back before. */
function leftToFulfil(order: PlacedOrder): Map<string, number> {
  return minus(minus(boughtOf(order), fulfilledOf(order)), unfulfilledOf(order));
}

/** Units by sku that were handed out and did not come back. */
function handedOut(order: PlacedOrder): Map<string, number> {
  return minus(minus(fulfilledOf(order), returnedOf(order)), unfulfilledOf(order), -1);
}

function fulfilledOf({ summary, fulfilments = [] }: PlacedOrder): Map<string, number> {
  const none = summary.lines.map(({ sku }) => ({ sku, quantity: 0 }));
  return totals([...none, ...fulfilments.flatMap(({ lines }) => lines)]);
}

function returnedOf({ returns = [] }: PlacedOrder): Map<string, number> {
  return totals(returns.flatMap(({ lines }) => lines));
}

function unfulfilledOf({ returns = [] }: PlacedOrder): Map<string, number> {
  return totals(returns.flatMap(({ lines }) => lines.map(({ sku, unfulfilled }) => ({ sku, quantity: unfulfilled }))));
}

function totals(lines: readonly Units[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { sku, quantity } of lines) sums.set(sku, (sums.get(sku) ?? 0) + quantity);
  return sums;
}

function minus(from: ReadonlyMap<string, number>, taken: ReadonlyMap<string, number>, sign = 1): Map<string, number> {
  return new Map([...from].map(([sku, quantity]) => [sku, quantity - sign * (taken.get(sku) ?? 0)]));
}

function units(left: ReadonlyMap<string, number>): Units[] {
  return [...left].flatMap(([sku, quantity]) => (quantity > 0 ? [{ sku, quantity }] : []));
}

function isEmpty(left: ReadonlyMap<string, number>): boolean {
  return units(left).length === 0;
}

function headOf(summary: OrderSummary): OrderHead {
  const { orderId, channel, shopId, customerId, partition, currency, timeZone, occurredAt, placedAt, tender } = summary;
  return { orderId, channel, shopId, customerId, partition, currency, timeZone, occurredAt, placedAt, tender };
}
