// What will happen in a seed, written down before anything does.
import { type Card, deal, inHands } from './deck.ts';
import { type PlannedOrder, planOrder } from './orders.ts';
import { between, randomOf } from './random.ts';

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
  readonly strikes: readonly PlannedStrike[];
  /** Services that run twice. */
  readonly replicas: Readonly<Record<string, number>>;
}

export interface PlanOptions {
  readonly minutes: number;
  /** Orders a second beside the bursts; 3 unless told. */
  readonly rate?: number;
}

const FAULTS_PER_MINUTE = 4;
const LEAST_FAULTS = 6;
/** Some faults strike together. */
const HANDS_PER_FAULT = 0.75;
const BURST_ORDERS = 24;
/** A burst begins this long before its blow. */
export const BURST_LEAD_MS = 700;
const BURST_MS = 1_800;

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
    burst: planLoad(seed, `burst-${index}`, BURST_ORDERS, BURST_MS),
  }));
  const replicas = Object.fromEntries(cards.flatMap(({ replicated }) => (replicated ? [[replicated, 2]] : [])));
  return { seed, minutes, length, orders: planLoad(seed, 'load', rate * minutes * 60, length), strikes, replicas };
}

/** Orders after the storm. */
export function planTail(seed: number): PlannedOrder[] {
  return planLoad(seed, 'tail', 8, 1_000);
}

function planLoad(seed: number, use: string, count: number, length: number): PlannedOrder[] {
  const random = randomOf(seed, use);
  return Array.from({ length: Math.round(count) }, (_, index) =>
    planOrder(random, `chaos-${seed}-${use}-${index}`, Math.round(between(random, 0, length))),
  ).sort((a, b) => a.at - b.at);
}

/** The plan as a person reads it. */
export function describePlan({ seed, minutes, orders, strikes, replicas }: Plan): string {
  const all = [...orders, ...strikes.flatMap(({ burst }) => burst)];
  const kinds = [...Map.groupBy(all, ({ kind }) => kind)].map(([kind, of]) => `${of.length} ${kind}`);
  const twice = Object.keys(replicas);
  return [
    `seed ${seed}: ${minutes} min, ${all.length} orders (${kinds.join(', ')})`,
    ...(twice.length > 0 ? [`  two replicas of ${twice.join(' and ')}`] : []),
    ...strikes.map(
      ({ at, cards }) =>
        `  ${(at / 1_000).toFixed(1).padStart(6)} s  ${cards.map(({ fault, holds }) => `${fault.name}${holds > 0 ? ` (${holds} s)` : ''}`).join(' + ')}`,
    ),
  ].join('\n');
}
