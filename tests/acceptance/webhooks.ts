// The provider's webhooks at the gateway: what is taken, and what is not believed.
import { expect, it } from '@jest/globals';
import { type Page, type PaymentView, placeOrder } from '../client/retail.ts';
import { signature } from '../simulators/card-provider/webhooks.ts';
import { expectProblem } from './expectations.ts';
import { newSku, unique, webOrder } from './goods.ts';
import { WEB, type World } from './world.ts';

export function webhookSuite(world: World): void {
  const send = (body: string, signed: string | undefined, path = '/webhooks/provider') =>
    world.anybody.send('POST', path, {
      raw: body,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        ...(signed !== undefined && { 'stripe-signature': signed }),
      },
    });
  const secret = () => world.secrets['provider-webhook-secret'] ?? '';
  const now = () => Math.floor(Date.now() / 1000);
  const event = (object: unknown, type = 'payment_intent.succeeded') =>
    JSON.stringify({
      id: unique('evt'),
      object: 'event',
      api_version: null,
      created: now(),
      type,
      data: { object },
      livemode: false,
      pending_webhooks: 1,
      request: null,
    });
  const unknownIntent = () => ({
    id: unique('pi'),
    object: 'payment_intent',
    status: 'succeeded',
    amount: 1,
    currency: 'usd',
    metadata: {},
  });

  it('takes what the provider signed, also about things it does not know', async () => {
    const body = event(unknownIntent());
    expect([200, 202, 204]).toContain((await send(body, signature(body, secret(), now()))).status);
    const other = event({ id: unique('cus'), object: 'customer' }, 'customer.created');
    expect([200, 202, 204]).toContain((await send(other, signature(other, secret(), now()))).status);
  });

  it('refuses what the provider did not sign', async () => {
    const body = event(unknownIntent());
    const refused = {
      'no signature': undefined,
      'wrong secret': signature(body, 'wrong', now()),
      'another body': signature(`${body} `, secret(), now()),
      'long ago': signature(body, secret(), now() - 3_600),
      nonsense: 'nonsense',
      empty: '',
    };
    for (const [name, signed] of Object.entries(refused)) {
      const answer = await send(body, signed);
      if (answer.status !== 400 && answer.status !== 401) throw new Error(`${name}: ${answer.status}`);
      if (answer.status === 400) expectProblem(answer, 400);
    }
  });

  it('does not believe a forged success: money is what the provider says when it is asked', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 1 });
    const payment = { method: 'card', token: 'pm_card_visa_chargeDeclined' } as const;
    const { body: order } = await placeOrder(world.customer, webOrder([sku], { payment }), unique('order'), 10);
    const [intent] = (await world.provider.book({ orderId: order.id })).intents;
    const lie = event({
      object: 'payment_intent',
      id: intent?.id,
      status: 'succeeded',
      amount: 250,
      currency: 'usd',
      metadata: intent?.metadata ?? {},
    });
    await send(lie, signature(lie, 'wrong', now()));
    const { body } = await world.admin.call<Page<PaymentView>>('GET', '/api/v1/payments', {
      query: { orderId: order.id },
    });
    expect(body.items[0]).toMatchObject({ status: 'failed', captures: [] });
  });
}
