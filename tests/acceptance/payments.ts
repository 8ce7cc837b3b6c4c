// Payments as their owners and staff see them.
import { expect, it } from '@jest/globals';
import { eventually } from '../client/eventually.ts';
import { type Page, type PaymentView, placeOrder } from '../client/retail.ts';
import { expectProblem, expectStatus } from './expectations.ts';
import { newSku, posOrder, unique, webOrder } from './goods.ts';
import { OTHER_SHOP, SHOP, WEB, type World } from './world.ts';

export function paymentSuite(world: World): void {
  const list = (gateway: typeof world.admin, orderId: string) =>
    gateway.send<Page<PaymentView>>('GET', '/api/v1/payments', { query: { orderId } });

  it('shows the payment of an order to its owner and to staff', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 1, price: 320 });
    const { body: order } = await placeOrder(world.customer, webOrder([sku]), unique('order'), 10);
    const found = expectStatus(await list(world.customer, order.id), 200).body;
    expect(found.next).toBeNull();
    expect(found.items).toHaveLength(1);
    const payment = found.items[0] as PaymentView;
    expect(payment).toMatchObject({
      id: expect.any(String),
      orderId: order.id,
      status: 'captured',
      amount: 320,
      currency: 'USD',
      captures: [{ amount: 320 }],
      refunds: [],
    });
    expect(expectStatus(await world.customer.send('GET', `/api/v1/payments/${payment.id}`), 200).body).toMatchObject({
      id: payment.id,
    });
    expect(JSON.stringify(payment)).not.toContain('pm_card');
    expectProblem(await world.anybody.send('GET', `/api/v1/payments/${payment.id}`), 401);
    expectProblem(await world.till(SHOP).send('GET', `/api/v1/payments/${payment.id}`), [403, 404]);
  });

  it('shows a till its own shop only', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 1 });
    const { body: order } = await placeOrder(world.till(SHOP), posOrder(SHOP, [sku]), unique('order'), 10);
    expect((await list(world.till(SHOP), order.id)).body.items).toHaveLength(1);
    const other = await list(world.till(OTHER_SHOP), order.id);
    if (other.status === 200) expect(other.body.items).toEqual([]);
    else expectProblem(other, [403, 404]);
    const stranger = await list(world.customer, order.id);
    if (stranger.status === 200) expect(stranger.body.items).toEqual([]);
    else expectProblem(stranger, [403, 404]);
  });

  it('knows no payment of an order that never was', async () => {
    const none = await list(world.admin, '00000000-0000-4000-8000-000000000000');
    if (none.status === 200) expect(none.body).toEqual({ items: [], next: null });
    else expectProblem(none, 404);
    expectProblem(await world.admin.send('GET', '/api/v1/payments'), 400);
    expectProblem(await world.admin.send('GET', `/api/v1/payments/${unique('none')}`), 404);
  });

  it('hears of every capture by webhook too, doubled and out of order, without booking twice', async () => {
    await world.provider.faults({ webhooks: { double: true, reorder: true } });
    try {
      const sku = await newSku(world.admin, { shopId: WEB, quantity: 3 });
      const orders = await Promise.all(
        Array.from({ length: 3 }, () => placeOrder(world.customer, webOrder([sku]), unique('order'), 10)),
      );
      expect(orders.map(({ body }) => body.status)).toEqual(['confirmed', 'confirmed', 'confirmed']);
      await eventually(async () => (await world.provider.book()).webhooks.pending === 0, {
        within: 20_000,
        what: 'delivery of all webhooks',
      });
      for (const { body } of orders)
        expect((await list(world.customer, body.id)).body.items[0]).toMatchObject({
          status: 'captured',
          captures: [{ amount: 250 }],
          refunds: [],
        });
    } finally {
      await world.provider.faults({ webhooks: { double: false, reorder: false } });
    }
  });
}
