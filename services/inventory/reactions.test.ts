// What orders and payments do to stock, by deliveries: doubled, late and in the wrong order.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventsOf, type InventoryBench, startInventoryBench } from './testing/inventory-bench.ts';

let bench: InventoryBench;
beforeAll(async () => {
  bench = await startInventoryBench();
});
afterEach(() => {
  bench.fake.intercept = undefined;
  bench.fake.apps.delete('order');
});
afterAll(() => bench.close());

let orders = 0;
/** An order for skus of its own, ten of each in stock. */
async function stocked(...quantities: number[]) {
  const orderId = `o-${++orders}`;
  const lines = quantities.map((quantity, n) => ({ sku: `${orderId}-${n}`, quantity }));
  await bench.stock(
    'north',
    lines.map(({ sku }) => ({ sku, quantity: 10 })),
  );
  const happened = () => bench.published(`reservation:${orderId}`).map(({ type }) => type);
  const shelf = (n = 0) => {
    const { onHand, reserved, sold } = bench.item('north', `${orderId}-${n}`) ?? {};
    return [onHand, reserved, sold];
  };
  return { orderId, lines, ...eventsOf({ orderId, lines }), happened, shelf };
}
const twice = <T>(each: T): [T, T] => [each, each];
const both = ['SUCCESS', 'SUCCESS'];

describe('an order that is placed', () => {
  test('reserves every line, once', async () => {
    const { orderId, lines, placed, happened, shelf } = await stocked(2, 10);
    expect(await bench.deliver('orders', ...twice(placed))).toEqual(both);
    expect(await bench.deliver('orders', placed)).toEqual(['SUCCESS']);
    expect([shelf(0), shelf(1)]).toEqual([
      [10, 2, 0],
      [10, 10, 0],
    ]);
    expect(happened()).toEqual(['stock.reserved']);
    expect(bench.published(`reservation:${orderId}`)[0]).toMatchObject({
      partitionKey: 'north',
      data: {
        ...{ orderId, amount: 1200, currency: 'USD', tender: { method: 'card' }, settled: false },
        lines: [
          { ...lines[0], itemVersion: 2, onHand: 10, reserved: 2, sold: 0 },
          { ...lines[1], itemVersion: 2, onHand: 10, reserved: 10, sold: 0 },
        ],
      },
    });
  });

  test('reserves nothing when one line is short, and says which', async () => {
    const { orderId, placed, happened, shelf } = await stocked(2, 11, 12);
    expect(await bench.deliver('orders', ...twice(placed))).toEqual(both);
    expect([shelf(0), shelf(1), shelf(2)]).toEqual(Array(3).fill([10, 0, 0]));
    expect(happened()).toEqual(['stock.rejected']);
    expect(bench.published(`reservation:${orderId}`)[0]?.data).toMatchObject({
      shortages: [
        { sku: `${orderId}-1`, wanted: 11, available: 10 },
        { sku: `${orderId}-2`, wanted: 12, available: 10 },
      ],
    });
  });

  test('finds what is missing when the sale has already happened', async () => {
    const { orderId, lines, happened, shelf } = await stocked(2, 15);
    const { placed } = eventsOf({ orderId, lines, settled: true });
    expect(await bench.deliver('orders', ...twice(placed))).toEqual(both);
    expect([shelf(0), shelf(1)]).toEqual([
      [10, 2, 0],
      [15, 15, 0],
    ]);
    expect(happened()).toEqual(['stock.found', 'stock.reserved']);
    expect(bench.published(`reservation:${orderId}`)[0]?.data).toMatchObject({
      lines: [{ sku: `${orderId}-1`, quantity: 5 }],
    });
  });

  test('may name a sku twice', async () => {
    const { orderId, happened, shelf } = await stocked(1);
    const line = { sku: `${orderId}-0`, quantity: 4 };
    const [enough, tooMany] = [
      eventsOf({ orderId, lines: [line, line] }),
      eventsOf({ orderId: `${orderId}b`, lines: [line, line] }),
    ];
    await bench.deliver('orders', enough.placed, tooMany.placed);
    expect(shelf()).toEqual([10, 8, 0]);
    expect(happened()).toEqual(['stock.reserved']);
    expect(bench.published(`reservation:${orderId}b`).map(({ type }) => type)).toEqual(['stock.rejected']);
  });

  test('has its turn: of many in one delivery the first get the goods, in one transaction', async () => {
    const { orderId } = await stocked(1);
    const lines = [{ sku: `${orderId}-0`, quantity: 3 }];
    const ids = Array.from({ length: 5 }, (_, n) => `${orderId}-turn-${n}`);
    const before = bench.fake.calls.length;
    await bench.deliver('orders', ...ids.map((id) => eventsOf({ orderId: id, lines }).placed));
    expect(bench.fake.calls.slice(before).filter((call) => call.endsWith('/transaction'))).toHaveLength(1);
    const fates = ids.map((id) => bench.published(`reservation:${id}`).map(({ type }) => type.split('.')[1]));
    expect(fates.flat()).toEqual(['reserved', 'reserved', 'reserved', 'rejected', 'rejected']);
  });
});

describe('what was reserved', () => {
  test('is sold when the order is confirmed, once', async () => {
    const { placed, confirmed, happened, shelf } = await stocked(3);
    await bench.deliver('orders', placed, ...twice(confirmed));
    await bench.deliver('orders', confirmed, placed);
    expect(shelf()).toEqual([7, 0, 3]);
    expect(happened()).toEqual(['stock.reserved', 'stock.committed']);
  });

  test('is told when the message comes again together with another one about the same goods', async () => {
    const { orderId, lines, placed, confirmed, happened } = await stocked(3);
    await bench.deliver('orders', placed);
    bench.fake.intercept = (_, path) => (path.includes('/publish/') ? { status: 500 } : undefined);
    expect(await bench.deliver('orders', confirmed)).toEqual(['RETRY']);
    bench.fake.intercept = undefined;
    const other = eventsOf({ orderId: `${orderId}b`, lines });
    expect(await bench.deliver('orders', other.placed, confirmed)).toEqual(both);
    expect(happened()).toEqual(['stock.reserved', 'stock.committed']);
  });

  test('is told when the store answers nothing after an earlier message of the order was looked at', async () => {
    const { orderId, lines, placed, cancelled, happened } = await stocked(3);
    const other = eventsOf({ orderId: `${orderId}b`, lines });
    await bench.deliver('orders', placed);
    let saves = 0;
    bench.fake.intercept = async (method, path, body) => {
      if (!path.endsWith('/transaction')) return undefined;
      saves += 1;
      if (saves === 1) return { status: 500 }; // all together: each comes alone now, the other order first
      if (saves !== 3) return undefined;
      await fetch(`http://127.0.0.1:${bench.fake.port}${path}`, { method, body });
      return 'break';
    };
    expect(await bench.deliver('orders', other.placed, placed, cancelled)).toEqual([...both, 'SUCCESS']);
    expect(happened()).toEqual(['stock.reserved', 'stock.released']);
  });

  test.each(['failed', 'cancelled'] as const)('is free again when the payment or order is %s, once', async (how) => {
    const order = await stocked(3);
    const topic = how === 'failed' ? 'payments' : 'orders';
    await bench.deliver('orders', order.placed);
    expect(await bench.deliver(topic, ...twice(order[how]))).toEqual(both);
    expect(await bench.deliver(topic, order[how])).toEqual(['SUCCESS']);
    expect(await bench.deliver('payments', order.failed)).toEqual(['SUCCESS']);
    expect(await bench.deliver('orders', order.cancelled, order.confirmed)).toEqual(both);
    expect(order.shelf()).toEqual([10, 0, 0]);
    expect(order.happened()).toEqual(['stock.reserved', 'stock.released']);
    const reason = how === 'failed' ? 'PAYMENT_DECLINED' : 'CUSTOMER_REQUEST';
    expect(bench.published(`reservation:${order.orderId}`)[1]?.data).toMatchObject({ reason: { code: reason } });
  });

  test('comes back when the order is cancelled after the sale, once', async () => {
    const { placed, confirmed, cancelled, failed, happened, shelf } = await stocked(3);
    await bench.deliver('orders', placed, confirmed, ...twice(cancelled));
    await bench.deliver('orders', cancelled);
    await bench.deliver('payments', failed);
    expect(shelf()).toEqual([10, 0, 0]);
    expect(happened()).toEqual(['stock.reserved', 'stock.committed', 'stock.uncommitted']);
  });

  test('stays rejected, whatever follows', async () => {
    const { placed, cancelled, failed, happened, shelf } = await stocked(11);
    await bench.deliver('orders', placed, cancelled);
    await bench.deliver('payments', failed);
    expect(shelf()).toEqual([10, 0, 0]);
    expect(happened()).toEqual(['stock.rejected']);
  });
});

describe('out of order', () => {
  test('a cancellation that comes first closes the reservation: nothing is ever reserved', async () => {
    const { placed, confirmed, cancelled, happened, shelf } = await stocked(3);
    expect(await bench.deliver('orders', ...twice(cancelled))).toEqual(both);
    expect(await bench.deliver('orders', ...twice(placed), confirmed)).toEqual([...both, 'SUCCESS']);
    expect(shelf()).toEqual([10, 0, 0]);
    expect(happened()).toEqual(['reservation.closed']);
  });

  test('a confirmation that comes first reads what it overtook from the owner', async () => {
    const { orderId, placed, confirmed, cancelled, happened, shelf } = await stocked(3);
    expect(await bench.deliver('orders', confirmed)).toEqual(['RETRY']); // the owner is away
    expect(shelf()).toEqual([10, 0, 0]);
    bench.play('order', () => ({ events: [placed, confirmed, cancelled] }));
    expect(await bench.deliver('orders', ...twice(confirmed))).toEqual(both);
    expect(bench.asked.at(-1)).toMatchObject({ to: 'order', path: `/internal/streams/order%3A${orderId}` });
    expect(await bench.deliver('orders', placed)).toEqual(['SUCCESS']);
    expect(shelf()).toEqual([7, 0, 3]); // not further than what was heard
    expect(happened()).toEqual(['stock.reserved', 'stock.committed']);
  });

  test('a payment that failed without a reservation is buried after five tries', async () => {
    const { failed } = eventsOf({ orderId: 'never', lines: [{ sku: 'tea', quantity: 1 }] });
    for (let tries = 1; tries < 5; tries += 1) expect(await bench.deliver('payments', failed)).toEqual(['RETRY']);
    await expect(bench.deliver('payments', failed)).rejects.toThrow(/nothing was reserved/);
  });

  test('what cannot be saved is not done, and holds up what follows of its order alone', async () => {
    const [one, other] = [await stocked(1), await stocked(1)];
    await bench.deliver('orders', one.placed);
    bench.fake.intercept = (_, path, body) =>
      path.endsWith('/transaction') && body.includes(`"reservation:${one.orderId}"`) ? { status: 503 } : undefined;
    expect(await bench.deliver('orders', one.confirmed, other.placed, one.cancelled, other.confirmed)).toEqual([
      ...['RETRY', 'SUCCESS', 'RETRY', 'SUCCESS'],
    ]);
    expect([one.shelf(), other.shelf()]).toEqual([
      [10, 1, 0],
      [9, 0, 1],
    ]);
    bench.fake.intercept = undefined;
    expect(await bench.deliver('orders', one.confirmed, one.cancelled)).toEqual(both);
    expect(one.happened()).toEqual(['stock.reserved', 'stock.committed', 'stock.uncommitted']);
  });
});
