// What will happen in a seed, written down before anything does.
import { type PlannedWork, planWork } from './clerks.ts';
import { type Card, deal, inHands } from './deck.ts';
import { type OrderKind, type PlannedOrder, planOrder } from './orders.ts';
import { between, randomOf } from './random.ts';
import type { Needs } from './rig.ts';

export interface PlannedStrike {
  /** Milliseconds from the start of the load; later when the healing before took longer. */
  readonly at: number;
  readonly cards: readonly Card[];
  /** Orders around the blow, so that it finds some in every step. */
  readonly burst: readonly PlannedOrder[];
}

export interface Plan {
  readonly seed: number;
  readonly minutes: number;
  /** How long the load lasts, in milliseconds. */
  readonly length: number;
  readonly orders: readonly PlannedOrder[];
  /** What staff do meanwhile. */
  readonly work: readonly PlannedWork[];
  readonly strikes: readonly PlannedStrike[];
  /** What the mesh has to be started with. */
  readonly needs: readonly Needs[];
}

export interface PlanOptions {
  readonly minutes: number;
  /** Orders a second beside the bursts; 3 unless told. */
  readonly rate?: number;
}

const FAULTS_PER_MINUTE = 5;
const WORKS_PER_MINUTE = 40;
const LEAST_FAULTS = 6;
/** Some faults strike together. */
const HANDS_PER_FAULT = 0.6;
const BURST_ORDERS = 32;
/** Of these every burst has some, so that no step is empty when the blow falls; the others are of the mix. */
const IN_EVERY_BURST: readonly OrderKind[] = [
  ...Array<OrderKind>(6).fill('cancelled'),
  ...Array<OrderKind>(3).fill('cancelled while paying'),
  ...Array<OrderKind>(4).fill('declined'),
  ...Array<OrderKind>(6).fill('out of stock'),
];
/** A burst begins this long before its blow. */
export const BURST_LEAD_MS = 4_000;

/** The same for the same seed and options, always. */
export function planSeed(seed: number, { minutes, rate = 3 }: PlanOptions): Plan {
  const length = minutes * 60_000;
  const cards = deal(seed, Math.max(LEAST_FAULTS, Math.round(minutes * FAULTS_PER_MINUTE)));
  const hands = inHands(cards, Math.ceil(cards.length * HANDS_PER_FAULT));
  const times = randomOf(seed, 'times');
  const slot = length / hands.length;
  const strikes = hands.map((hand, index) => ({
    at: Math.round(index * slot + between(times, 0.15, 0.3) * slot),
    cards: hand,
    burst: planBurst(seed, index),
  }));
  const needs = cards.flatMap((card) => card.needs ?? []);
  const orders = planLoad(seed, 'load', rate * minutes * 60, length);
  const work = planWork(seed, minutes * WORKS_PER_MINUTE, length);
  return { seed, minutes, length, orders, work, strikes, needs };
}

/** Orders after the storm. */
export function planTail(seed: number): PlannedOrder[] {
  return planLoad(seed, 'tail', 8, 1_000);
}

/**
 * Most orders are on their way when the blow falls; those to be cancelled were made before, most of them early enough to
 * be confirmed, and are cancelled then.
 */
function planBurst(seed: number, index: number): PlannedOrder[] {
  const random = randomOf(seed, `burst-${index}`);
  const orders = Array.from({ length: BURST_ORDERS }, (_, n): PlannedOrder => {
    const order = planOrder(random, `chaos-${seed}-burst-${index}-${n}`, 0, IN_EVERY_BURST[n]);
    if (order.cancelAfter === undefined) {
      const isAtBlow = random() < 0.7;
      return { ...order, at: BURST_LEAD_MS + (isAtBlow ? between(random, -300, 150) : between(random, -2_000, 1_500)) };
    }
    const at = order.kind === 'cancelled' && random() < 0.7 ? between(random, 0, 500) : BURST_LEAD_MS - 1_000;
    return { ...order, at, cancelAfter: BURST_LEAD_MS - at - USUAL_ANSWER_MS + between(random, -150, 50) };
  });
  return orders.sort((a, b) => a.at - b.at);
}
/** Until a client is told of its order. */
const USUAL_ANSWER_MS = 50;

function planLoad(seed: number, use: string, count: number, length: number): PlannedOrder[] {
  const random = randomOf(seed, use);
  return Array.from({ length: Math.round(count) }, (_, index) =>
    planOrder(random, `chaos-${seed}-${use}-${index}`, Math.round(between(random, 0, length))),
  ).sort((a, b) => a.at - b.at);
}

/** The plan as a person reads it. */
export function describePlan({ seed, minutes, orders, strikes, needs }: Plan): string {
  const all = [...orders, ...strikes.flatMap(({ burst }) => burst)];
  const kinds = [...Map.groupBy(all, ({ kind }) => kind)].map(([kind, of]) => `${of.length} ${kind}`);
  const twice = [...new Set(needs.flatMap(({ replicated }) => replicated ?? []))];
  return [
    `seed ${seed}: ${minutes} min, ${all.length} orders (${kinds.join(', ')})`,
    ...(twice.length > 0 ? [`  two replicas of ${twice.join(' and ')}`] : []),
    ...strikes.map(
      ({ at, cards }) =>
        `  ${(at / 1_000).toFixed(1).padStart(6)} s  ${cards.map(({ name, holds }) => `${name}${holds > 0 ? ` (${holds} s)` : ''}`).join(' + ')}`,
    ),
  ].join('\n');
}
