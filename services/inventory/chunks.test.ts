// Baskets that no transaction takes at once, with the store dying at every single transaction: the outcome is the same.
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { CloudEvent } from '#kit/testing/bench';
import { type Death, eventsOf, type InventoryBench, startInventoryBench } from './testing/inventory-bench.ts';

jest.setTimeout(30_000); // one test has a death at every transaction

let bench: InventoryBench;
beforeAll(async () => {
  bench = await startInventoryBench();
});
afterEach(() => {
  bench.revive();
  bench.fake.apps.delete('order');
});
afterAll(() => bench.close());

const SKUS = 111;
const skus = Array.from({ length: SKUS }, (_, n) => `p-${n}`);
const lines = skus.map((sku, n) => ({ sku, quantity: 1 + (n % 7) }));

type Step = 'placed' | 'confirmed' | 'cancelled' | 'failed';
const topicOf = (step: Step) => (step === 'failed' ? 'payments' : 'orders');
const deliver = (step: Step, event: CloudEvent) => bench.deliver(topicOf(step), event);

let shops = 0;
/** An order at a shop of its own, with ten of each sku but those that are short. */
async function basket(short: Readonly<Record<string, number>> = {}) {
  const shopId = `shop-${++shops}`;
  const orderId = `order-at-${shopId}`;
  const opening = skus.map((sku) => ({ sku, quantity: short[sku] ?? 10 })).filter(({ quantity }) => quantity > 0);
  await bench.stock(shopId, opening);
  return {
    ...eventsOf({ orderId, shopId, lines }),
    /** All that can be seen of it, without its names. */
    seen() {
      const { state, progress, version } = bench.document<{ status: string }>(`reservation:${orderId}`) ?? {};
      const text = JSON.stringify({
        reservation: { status: state?.status, progress, version },
        published: bench.published(`reservation:${orderId}`),
        items: skus.map((sku) => bench.item(shopId, sku)),
      });
      return JSON.parse(text.replaceAll(shopId, 'shop')) as { items: object[]; published: { type: string }[] };
    },
  };
}

const cases: readonly [string, Readonly<Record<string, number>>, readonly Step[], object, string[]][] = [
  ['reserved', {}, ['placed'], { onHand: 10, reserved: 7, sold: 0, version: 2 }, ['reserved']],
  ['sold', {}, ['placed', 'confirmed'], { onHand: 3, reserved: 0, sold: 7, version: 3 }, ['reserved', 'committed']],
  ['released', {}, ['placed', 'failed'], { onHand: 10, reserved: 0, version: 3 }, ['reserved', 'released']],
  ['let go', {}, ['placed', 'cancelled'], { onHand: 10, reserved: 0, version: 3 }, ['reserved', 'released']],
  [
    'given back',
    {},
    ['placed', 'confirmed', 'cancelled'],
    { onHand: 10, reserved: 0, sold: 0, version: 4 },
    ['reserved', 'committed', 'uncommitted'],
  ],
  ['refused in the second chunk', { 'p-100': 1 }, ['placed'], { onHand: 10, reserved: 0, version: 3 }, ['rejected']],
];

describe.each(cases)('a basket of 111 skus is %s', (_, short, steps, item, published) => {
  const last = steps.at(-1) as Step;
  async function prepared() {
    const order = await basket(short);
    for (const step of steps.slice(0, -1)) expect(await deliver(step, order[step])).toEqual(['SUCCESS']);
    return order;
  }
  async function undisturbed() {
    const order = await prepared();
    expect(await deliver(last, order[last])).toEqual(['SUCCESS']);
    return order.seen();
  }

  test('in chunks, line by line', async () => {
    const before = bench.fake.calls.length;
    const seen = await undisturbed();
    expect(seen.items[6]).toMatchObject(item); // seven of it
    expect(seen.items).toHaveLength(SKUS);
    expect(seen.published.map(({ type }) => type.split('.')[1])).toEqual(published);
    expect(seen).toMatchObject({ reservation: { version: published.length } });
    expect(JSON.stringify(seen)).not.toContain('progress');
    const saved = bench.fake.calls.slice(before).filter((call) => call.endsWith('/transaction'));
    expect(saved.length).toBeGreaterThan(2 * steps.length); // the receipt has some, too
  });

  test.each<Death>(['refused', 'lost'])('the same with each transaction %s in turn', async (death) => {
    const expected = await undisturbed();
    let died = true;
    let transaction = 0;
    while (died) {
      transaction += 1;
      const order = await prepared();
      bench.dieAt(transaction, death);
      const statuses = await deliver(last, order[last]);
      died = bench.revive();
      expect(statuses).toEqual([died ? 'RETRY' : 'SUCCESS']);
      expect(await deliver(last, order[last])).toEqual(['SUCCESS']);
      expect(order.seen()).toEqual(expected);
    }
    expect(transaction).toBe(short['p-100'] === undefined ? 3 : 4); // the last one died of nothing
  });
});

describe('between two chunks', () => {
  test('a cancellation finishes the reservation first, then lets go of it', async () => {
    const { placed, cancelled, seen } = await basket();
    bench.dieAt(2, 'refused');
    expect(await deliver('placed', placed)).toEqual(['RETRY']);
    bench.revive();
    expect(await deliver('cancelled', cancelled)).toEqual(['RETRY']); // the owner is away
    bench.play('order', () => ({ events: [placed, cancelled] }));
    expect(await deliver('cancelled', cancelled)).toEqual(['SUCCESS']);
    expect(await deliver('placed', placed)).toEqual(['SUCCESS']);
    const { items, published } = seen();
    expect(items).toEqual(items.map(() => expect.objectContaining({ onHand: 10, reserved: 0, version: 3 })));
    expect(published.map(({ type }) => type)).toEqual(['stock.reserved', 'stock.released']);
  });

  test('whoever comes first finishes the release that another reason began', async () => {
    const { placed, cancelled, failed, seen } = await basket();
    await deliver('placed', placed);
    bench.dieAt(2, 'refused');
    expect(await deliver('failed', failed)).toEqual(['RETRY']);
    bench.revive();
    expect(await deliver('cancelled', cancelled)).toEqual(['SUCCESS']);
    expect(await deliver('failed', failed)).toEqual(['SUCCESS']);
    const { items, published } = seen();
    expect(items).toEqual(items.map(() => expect.objectContaining({ onHand: 10, reserved: 0, version: 3 })));
    expect(published.map(({ type }) => type)).toEqual(['stock.reserved', 'stock.released']);
  });

  test('goods that another took between the chunks are a shortage, too', async () => {
    const { placed, seen } = await basket();
    bench.dieAt(2, 'refused');
    expect(await deliver('placed', placed)).toEqual(['RETRY']);
    bench.revive();
    const thief = eventsOf({ orderId: 'thief', shopId: `shop-${shops}`, lines: [{ sku: 'p-110', quantity: 10 }] });
    await deliver('placed', thief.placed);
    expect(await deliver('placed', placed)).toEqual(['SUCCESS']);
    const { items, published } = seen();
    expect(published.map(({ type }) => type)).toEqual(['stock.rejected']);
    expect(items.slice(0, 110)).toEqual(Array(110).fill(expect.objectContaining({ reserved: 0 })));
  });
});

test('a basket is told also when the answer to its last chunk is lost, and nothing else happens', async () => {
  const order = await basket();
  let saves = 0;
  bench.fake.intercept = async (method, path, body) => {
    if (!path.endsWith('/transaction')) return undefined;
    saves += 1;
    if (saves !== 2) return undefined;
    await fetch(`http://127.0.0.1:${bench.fake.port}${path}`, { method, body });
    return 'break';
  };
  expect(await deliver('placed', order.placed)).toEqual(['SUCCESS']);
  expect(order.seen().published.map(({ type }) => type)).toEqual(['stock.reserved']);
});
