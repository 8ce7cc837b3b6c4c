import { describe, expect, test } from '@jest/globals';
import { deal, inHands, processNames } from './deck.ts';
import { describePlan, planSeed } from './plan.ts';
import { randomOf } from './random.ts';

const plainPlan = (seed: number) => JSON.stringify(planSeed(seed, { minutes: 3 }));

describe('the plan of a seed', () => {
  test('is the same each time, and another for another seed', () => {
    expect(plainPlan(7)).toBe(plainPlan(7));
    expect(plainPlan(7)).not.toBe(plainPlan(8));
    expect(describePlan(planSeed(7, { minutes: 3 }))).toBe(describePlan(planSeed(7, { minutes: 3 })));
  });

  test.each([0.6, 1, 3])('of %d minutes has at least six faults, one after the other', (minutes) => {
    const { strikes, length } = planSeed(3, { minutes });
    expect(strikes.flatMap(({ cards }) => cards).length).toBeGreaterThanOrEqual(6);
    const times = strikes.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(length);
  });

  test('has an order of every kind around its blows, and each has a key of its own', () => {
    const { orders, strikes } = planSeed(1, { minutes: 3 });
    const bursts = strikes.flatMap(({ burst }) => burst);
    expect(new Set(bursts.map(({ kind }) => kind)).size).toBe(13);
    const all = [...orders, ...bursts];
    expect(new Set(all.map(({ key }) => key)).size).toBe(all.length);
  });
});

describe('the deck', () => {
  const twenty = Array.from({ length: 20 }, (_, n) => deal(n + 1, 15)).flat();

  test('lets every process be killed, paused and started again within twenty seeds', () => {
    const dealt = new Set(twenty.map(({ name }) => name));
    const missing = processNames
      .filter((name) => name !== 'runner')
      .flatMap((name) => ['kill', 'pause', 'restart'].map((fate) => `${fate} ${name}`))
      .filter((name) => !dealt.has(name));
    expect(missing).toEqual([]);
  });

  test.each([
    'kill runner',
    'kill report in a rebuild',
    'kill report-dapr in a rebuild',
    'kill postgres in a rebuild',
    'lose replica order-2',
    'provider loses its answers',
    'doubled deliveries to inventory',
    'delayed deliveries to order',
    'reordered deliveries to payment',
    'lost answers by gateway',
    'full disk of postgres',
    'clock of payment 10 min fast',
    'slower retries in resiliency-pubsub.yaml of order, live',
    'a longer session in component-pubsub-saga.yaml of order, live',
  ])('has "%s" within twenty seeds', (name) => {
    expect(twenty.map((card) => card.name)).toContain(name);
  });

  test('disturbs every process within five seeds', () => {
    const hit = new Set(
      Array.from({ length: 5 }, (_, n) => deal(n + 1, 15)).flatMap((cards) => cards.flatMap(({ hits }) => hits)),
    );
    expect(processNames.filter((name) => !hit.has(name))).toEqual([]);
  });

  test('puts only faults of different processes into one hand, and nothing beside the death of the runner', () => {
    for (let seed = 1; seed <= 20; seed++) {
      for (const hand of inHands(deal(seed, 15), 9)) {
        const hits = hand.flatMap((card) => card.hits);
        expect(new Set(hits).size).toBe(hits.length);
        if (hits.includes('runner')) expect(hand).toHaveLength(1);
      }
    }
  });
});

test('chance is the same for the same seed and use, and evenly spread', () => {
  const draw = (seed: number, use: string) => Array.from({ length: 1_000 }, randomOf(seed, use));
  expect(draw(1, 'load')).toEqual(draw(1, 'load'));
  expect(draw(1, 'load')).not.toEqual(draw(1, 'times'));
  expect(draw(1, 'load')).not.toEqual(draw(2, 'load'));
  const mean = draw(1, 'load').reduce((sum, value) => sum + value, 0) / 1_000;
  expect(mean).toBeGreaterThan(0.45);
  expect(mean).toBeLessThan(0.55);
});
