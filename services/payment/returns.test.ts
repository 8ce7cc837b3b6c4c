// What goes back for goods that came back: by deliveries and the provider's answers, doubled, down and forgotten.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { soon } from '#kit/testing/bench';
import { type PaymentBench, type PaymentOfOrder, startPaymentBench } from './testing/payment-bench.ts';

let bench: PaymentBench;
let defaults: PaymentBench['provider'];
beforeAll(async () => {
  bench = await startPaymentBench();
  defaults = { ...bench.provider };
});
afterEach(() => {
  Object.assign(bench.provider, defaults);
  bench.now = new Date('2026-03-01T10:00:00.000Z');
});
afterAll(() => bench.close());

const until = ({ happened }: PaymentOfOrder, type: string, times = 1) =>
  soon(() => happened().filter((each) => each === type).length === times);
const shown = async ({ paymentId }: PaymentOfOrder) =>
  (await bench.as({ sub: 'c-1', perm: ['order:place'] }).get(`/api/v1/payments/${paymentId}`)).body;
const refunds = (paymentId: string) => bench.askedOf(paymentId).filter((path) => path === 'refund').length;

/** An order of 5.00 that is paid. */
async function paid(method: 'card' | 'cash' = 'card'): Promise<PaymentOfOrder> {
  const order = await bench.order({ method });
  await bench.deliver('inventory', order.reserved);
  await until(order, 'captured');
  return order;
}

describe('a return', () => {
  test('by card is asked of the provider under its own name, once however often it comes', async () => {
    const order = await paid();
    const returned = order.returned('r-1', 120);
    let asked: unknown;
    bench.provider.refund = (request) => {
      asked = request;
      return { outcome: 'refunded', refundRef: 're_1' };
    };
    expect(await bench.deliver('orders', returned, returned)).toEqual(['SUCCESS', 'SUCCESS']);
    await until(order, 'return-refunded');
    expect(await bench.deliver('orders', returned)).toEqual(['SUCCESS']);
    expect(asked).toMatchObject({ paymentId: order.paymentId, providerRef: 'pi_1', refundId: 'r-1', amount: 120 });
    expect(refunds(order.paymentId)).toBe(1);
    expect(order.happened()).toEqual(['requested', 'captured', 'return-requested', 'return-refunded']);
    expect(await shown(order)).toMatchObject({
      ...{ status: 'captured', amount: 500, captures: [{ amount: 500 }] },
      refunds: [{ amount: 120, returnId: 'r-1' }],
    });
    expect(order.booked('r-1')?.lines).toEqual([
      { account: 'card-clearing', amount: -120 },
      { account: 'sales:web', amount: 120 },
    ]);
  });

  test('in cash is handed out at the till: booked, and no provider asked', async () => {
    const order = await paid('cash');
    const returned = order.returned('r-1', 500);
    await bench.deliver('orders', returned, returned);
    await until(order, 'return-refunded');
    expect(refunds(order.paymentId)).toBe(0);
    expect(await shown(order)).toMatchObject({ status: 'refunded', refunds: [{ amount: 500 }] });
    expect(order.booked('r-1')?.lines[0]).toMatchObject({ account: expect.stringMatching(/^cash:/), amount: -500 });
  });

  test('waits for a provider that is down, and so do those after it; each is made once', async () => {
    const order = await paid();
    let tries = 0;
    bench.provider.refund = () => {
      tries += 1;
      return tries < 3 ? 503 : { outcome: 'refunded', refundRef: `re_${tries}` };
    };
    await bench.deliver('orders', order.returned('r-1', 200), order.returned('r-2', 300, 4));
    await soon(() => tries === 1);
    expect(await shown(order)).toMatchObject({ status: 'refunding', refunds: [] });
    await bench.deliver('provider-events', order.webhook);
    await soon(() => tries === 2);
    await until(order, 'return-refunded', 2);
    expect(tries).toBe(4);
    expect(await shown(order)).toMatchObject({ status: 'refunded', refunds: [{ amount: 200 }, { amount: 300 }] });
  });

  test('is looked for before it is made again when the provider has forgotten its key', async () => {
    const order = await paid();
    bench.provider.refund = () => 503;
    await bench.deliver('orders', order.returned('r-1', 200));
    await until(order, 'return-requested');
    await soon(() => refunds(order.paymentId) === 1);
    bench.now = new Date('2026-03-02T10:00:00.000Z');
    bench.provider.refund = () => ({ outcome: 'refunded', refundRef: 're_twice' });
    const known = { refundRef: 're_once', refundId: 'r-1', amount: 200, status: 'succeeded' };
    bench.provider.lookup = () => ({ outcome: 'captured', providerRef: 'pi_1', refunds: [known] });
    await bench.deliver('provider-events', order.webhook);
    await until(order, 'return-refunded');
    expect(refunds(order.paymentId)).toBe(1);
    expect(bench.published(`payment:${order.paymentId}`).at(-1)?.data).toMatchObject({ refundRef: 're_once' });
  });

  test('of more than was captured gives nothing back, and is buried', async () => {
    const order = await paid();
    const greedy = order.returned('r-1', 501);
    for (let tries = 1; tries < 5; tries += 1) expect(await bench.deliver('orders', greedy)).toEqual(['RETRY']);
    await expect(bench.deliver('orders', greedy)).rejects.toThrow(/captured was 500/);
    expect(refunds(order.paymentId)).toBe(0);
  });
});
