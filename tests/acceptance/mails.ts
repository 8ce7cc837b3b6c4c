// What customers are told by mail, and how often.
import { expect, it } from '@jest/globals';
import { settles } from '../client/eventually.ts';
import { placeOrder } from '../client/retail.ts';
import { expectStatus } from './expectations.ts';
import { newSku, posOrder, unique, webOrder } from './goods.ts';
import { SHOP, WEB, type World } from './world.ts';

export function mailSuite(world: World): void {
  const mailsAbout = async (orderId: string) =>
    (await world.inbox()).filter((mail) => JSON.stringify([mail.subject, mail.html, mail.text]).includes(orderId));

  it('tells a customer once that an order is confirmed, and once that it is cancelled', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 1 });
    const { body: order } = await placeOrder(world.customer, webOrder([sku]), unique('order'), 10);
    await settles(async () => expect(await mailsAbout(order.id)).toHaveLength(1), { within: 30_000 });
    const [mail] = await mailsAbout(order.id);
    expect(mail?.to.map(({ address }) => address)).toEqual(['customer@demo.test']);
    const cancel = { body: { reason: 'changed my mind' }, key: unique('cancel') };
    expectStatus(await world.customer.send('POST', `/api/v1/orders/${order.id}/cancel`, cancel), 202);
    await settles(async () => expect(await mailsAbout(order.id)).toHaveLength(2), { within: 30_000 });
  });

  it('tells nobody about a sale at a till', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 1 });
    const sale = posOrder(SHOP, [sku], { customerId: 'household-1' });
    const { body: till } = await placeOrder(world.till(SHOP), sale, unique('order'), 10);
    // A mail of a later order is behind it in the queue: when that one is there, the other would be, too.
    const other = await newSku(world.admin, { shopId: WEB, quantity: 1 });
    const { body: web } = await placeOrder(world.customer, webOrder([other]), unique('order'), 10);
    await settles(async () => expect(await mailsAbout(web.id)).toHaveLength(1), { within: 30_000 });
    expect(await mailsAbout(till.id)).toEqual([]);
  });
}
