// A message that was given up comes again, from whoever keeps the dead letters.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventsOf, type InventoryBench, startInventoryBench } from './testing/inventory-bench.ts';

let bench: InventoryBench;
beforeAll(async () => {
  bench = await startInventoryBench();
});
afterAll(() => bench.close());

async function redeliver(event: unknown, topic = 'orders') {
  return (await bench.as().post('/internal/redelivery').send({ topic, event })).body;
}
const letters = () => bench.fake.published.filter(({ topic }) => topic.includes('.dead.'));

test('it does what was not done, and twice changes nothing', async () => {
  await bench.stock('north', [{ sku: 'tea', quantity: 5 }]);
  const { placed } = eventsOf({ orderId: 'o-1', lines: [{ sku: 'tea', quantity: 2 }] });
  expect(await redeliver(placed)).toEqual({ outcome: 'done' });
  expect(bench.item('north', 'tea')).toMatchObject({ reserved: 2 });
  expect(await redeliver(placed)).toEqual({ outcome: 'done' });
  expect(bench.item('north', 'tea')).toMatchObject({ reserved: 2 });
  expect(bench.published('reservation:o-1').map(({ type }) => type)).toEqual(['stock.reserved']);
});

test('what is refused again is said to be, and not buried a second time', async () => {
  const { placed, failed } = eventsOf({ orderId: 'o-2', lines: [{ sku: 'tea', quantity: 2 }] });
  const broken = { ...placed, data: { ...placed.data, payload: { orderId: 7 } } };
  expect(await redeliver(broken)).toMatchObject({ outcome: 'refused', reason: 'CONTRACT_BROKEN' });
  expect(await redeliver({})).toMatchObject({ outcome: 'refused', reason: 'NOT_OUR_CLOUD_EVENT' });
  // Nothing was reserved of it: its decision throws, as often as it is tried.
  expect(await redeliver(failed, 'payments')).toMatchObject({ outcome: 'refused', reason: 'DECISION_FAILED' });
  expect(await redeliver(placed, 'shops')).toEqual({ outcome: 'refused', reason: 'NOBODY_HEARS_IT' });
  expect(letters()).toEqual([]);
});

test('while the store is away nothing is said', async () => {
  const { placed } = eventsOf({ orderId: 'o-3', lines: [{ sku: 'tea', quantity: 1 }] });
  bench.fake.intercept = (_, path) => (path.includes('/state/') ? 'break' : undefined);
  expect(await redeliver(placed)).toEqual({ outcome: 'later' });
  bench.fake.intercept = undefined;
  expect(await redeliver(placed)).toEqual({ outcome: 'done' });
});
