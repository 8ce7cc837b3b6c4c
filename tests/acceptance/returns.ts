// Goods that are handed out, and goods that come back: stock, money and order agree, whoever is down meanwhile.
import { afterEach, expect, it } from '@jest/globals';
import { settles } from '../client/eventually.ts';
import type { Gateway } from '../client/gateway.ts';
import { getOrder, type Order, type OrderRequest, type Page, type PaymentView, placeOrder } from '../client/retail.ts';
import { expectProblem, expectStatus, expectStock } from './expectations.ts';
import { newGoods, newSku, posOrder, unique, webOrder } from './goods.ts';
import { SHOP, WEB, type World } from './world.ts';

interface Line {
  readonly sku: string;
  readonly quantity: number;
}
interface Fulfilment {
  readonly id: string;
  readonly lines: readonly Line[];
}
interface Return {
  readonly id: string;
  readonly amount: number;
  readonly method: string;
  readonly lines: readonly (Line & { readonly condition: string; readonly amount: number })[];
}
type WithGoods = Order & { readonly fulfilments?: readonly Fulfilment[]; readonly returns?: readonly Return[] };

export function returnSuite(world: World): void {
  const confirmed = async (gateway: Gateway, body: OrderRequest) => {
    const { body: order } = await placeOrder(gateway, body, unique('order'), 10);
    expect(order.status).toBe('confirmed');
    return order;
  };
  const fulfil = (id: string, lines?: readonly Line[], key = unique('hand')) =>
    world.admin.send<Fulfilment>('POST', `/api/v1/orders/${id}/fulfilments`, { body: lines ? { lines } : {}, key });
  const bring = (gateway: Gateway, id: string, lines: readonly object[], key = unique('bag')) =>
    gateway.send<Return>('POST', `/api/v1/orders/${id}/returns`, { body: { lines, reason: 'Too small' }, key });
  const sellable = (sku: string, quantity: number) => ({ sku, quantity, condition: 'sellable' });
  const damaged = (sku: string, quantity: number) => ({ sku, quantity, condition: 'damaged' });
  const orderOf = async (id: string) => (await getOrder(world.admin, id)).body as WithGoods;
  const paymentOf = async (orderId: string) =>
    (await world.admin.call<Page<PaymentView>>('GET', '/api/v1/payments', { query: { orderId } })).body.items[0];
  const refundedBy = async (orderId: string) => (await world.provider.book({ orderId })).intents[0]?.refunded;
  const settled = (orderId: string, status: string, ...amounts: number[]) =>
    settles(
      async () =>
        expect(await paymentOf(orderId)).toMatchObject({ status, refunds: amounts.map((amount) => ({ amount })) }),
      { within: 30_000 },
    );

  afterEach(async () => {
    await world.provider.faults({ delayMs: 0, failNext: 0, dropNext: 0, down: false });
  });

  it('hands an order out in parts; it is fulfilled with the last, and cannot be cancelled from the first on', async () => {
    const [a = '', b = ''] = await newGoods(world.admin, { shopId: WEB, count: 2, quantity: 5 });
    const lines = [
      { sku: a, quantity: 3 },
      { sku: b, quantity: 1 },
    ];
    const { id } = await confirmed(world.customer, webOrder([], { lines }));
    const key = unique('hand');
    const first = expectStatus(await fulfil(id, [{ sku: a, quantity: 2 }], key), 201);
    expect(expectStatus(await fulfil(id, [{ sku: a, quantity: 2 }], key), 201).body).toEqual(first.body);
    expect(await orderOf(id)).toMatchObject({ status: 'confirmed', fulfilments: [{ id: first.body.id }] });
    const cancel = { body: { reason: 'changed my mind' }, key: unique('cancel') };
    const path = `/api/v1/orders/${id}/cancel`;
    expectProblem(await world.customer.send('POST', path, cancel), 409, 'ORDER_FULFILLED');
    expectProblem(await fulfil(id, [{ sku: a, quantity: 2 }]), 409, 'FULFILMENT_EXCEEDS');
    expectProblem(await fulfil(id, [{ sku: unique('no'), quantity: 1 }]), 422, 'SKU_NOT_ORDERED');
    const rest = expectStatus(await fulfil(id), 201).body;
    expect(rest.lines).toEqual([
      { sku: a, quantity: 1 },
      { sku: b, quantity: 1 },
    ]);
    expect(await orderOf(id)).toMatchObject({ status: 'fulfilled' });
    expectProblem(await fulfil(id), 409, 'ORDER_FULFILLED');
    expectProblem(await world.customer.send('POST', `/api/v1/orders/${id}/fulfilments`, { body: {}, key }), 403);
    const list = { query: { status: 'fulfilled', customerId: String((await orderOf(id)).customerId) } };
    await settles(async () => {
      const { body } = await world.admin.send<Page<WithGoods>>('GET', '/api/v1/orders', list);
      expect(body.items.find((order) => order.id === id)?.fulfilments).toHaveLength(2);
    });
  });

  it('takes goods back in parts: money to the card, sellable goods on hand, damaged ones not', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 10, price: 333 });
    const { id } = await confirmed(world.customer, webOrder([], { lines: [{ sku, quantity: 3 }] }));
    await fulfil(id);
    await expectStock(world.admin, WEB, sku, 7);
    const key = unique('bag');
    const first = expectStatus(await bring(world.customer, id, [sellable(sku, 1), damaged(sku, 1)], key), 201);
    expect(first.body).toMatchObject({ amount: 666, method: 'card', lines: [{ amount: 333 }, { amount: 333 }] });
    const again = expectStatus(await bring(world.customer, id, [sellable(sku, 1), damaged(sku, 1)], key), 201);
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([first.body, 'true']);
    await settled(id, 'captured', 666);
    await expectStock(world.admin, WEB, sku, 8);

    expectProblem(await bring(world.customer, id, [sellable(sku, 2)]), 409, 'RETURN_EXCEEDS');
    const last = expectStatus(await bring(world.customer, id, [sellable(sku, 1)]), 201).body;
    await settled(id, 'refunded', 666, 333);
    expect(await refundedBy(id)).toBe(999);
    await expectStock(world.admin, WEB, sku, 9);
    expect(await orderOf(id)).toMatchObject({ status: 'fulfilled', returns: [first.body, last] });
    await settles(
      async () => {
        const mails = (await world.inbox()).filter(
          ({ subject, html = '' }) => /return/i.test(subject) && html.includes(id),
        );
        expect(mails).toHaveLength(2);
      },
      { within: 30_000 },
    );
    type Told = Page<{ type: string; data: { quantity: number } }>;
    const history = await world.admin.send<Told>('GET', `/api/v1/inventory/${WEB}/${sku}/events`);
    const moved = history.body.items.map(({ type, data }) => `${type} ${data.quantity}`);
    expect(moved.slice(3)).toEqual(['item.returned 1', 'item.damaged 1', 'item.returned 1']);
  });

  it('gives back exactly what was paid, discounts and rounding included, in cash over the counter', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 10 });
    const discounts = [{ kind: 'loyalty', amount: 100 }] as const;
    const sale = posOrder(SHOP, [], {
      lines: [{ sku, quantity: 3, unitPrice: 200, discounts }],
      payment: { method: 'cash' },
    });
    const order = await confirmed(world.till(SHOP), sale);
    await expectStock(world.admin, SHOP, sku, 7);
    expectProblem(await bring(world.till(SHOP), order.id, [sellable(sku, 1)]), 403);
    const amounts: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      const { body } = expectStatus(await bring(world.manager, order.id, [sellable(sku, 1)]), 201);
      expect(body.method).toBe('cash');
      amounts.push(body.amount);
    }
    expect(amounts).toEqual([166, 167, 167]);
    await settled(order.id, 'refunded', ...amounts);
    await expectStock(world.admin, SHOP, sku, 10);
    expect((await world.provider.book({ orderId: order.id })).intents).toEqual([]);
    const cancel = { body: { reason: 'twice' }, key: unique('cancel') };
    const path = `/api/v1/orders/${order.id}/cancel`;
    expectProblem(await world.manager.send('POST', path, cancel), 409, 'ORDER_RETURNED');
  });

  it('refunds once when the provider is down, and answers the customer all the same', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 5, price: 450 });
    const { id } = await confirmed(world.customer, webOrder([], { lines: [{ sku, quantity: 2 }] }));
    await expectStock(world.admin, WEB, sku, 3);
    await world.provider.faults({ down: true });
    expectStatus(await bring(world.customer, id, [sellable(sku, 1)]), 201);
    expectStatus(await bring(world.customer, id, [sellable(sku, 1)]), 201);
    await expectStock(world.admin, WEB, sku, 5);
    await settled(id, 'refunding');
    // The first answer that comes through is lost: the same refund is asked for again.
    await world.provider.faults({ down: false, dropNext: 1 });
    await settled(id, 'refunded', 450, 450);
    expect(await refundedBy(id)).toBe(900);
  });

  it('never takes back more than was bought, however many ask at once', async () => {
    const sku = await newSku(world.admin, { shopId: WEB, quantity: 4 });
    const { id } = await confirmed(world.customer, webOrder([], { lines: [{ sku, quantity: 4 }] }));
    const answers = await Promise.all(Array.from({ length: 8 }, () => bring(world.customer, id, [sellable(sku, 1)])));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(4);
    for (const answer of answers.filter(({ status }) => status !== 201)) expectProblem(answer, 409, 'RETURN_EXCEEDS');
    await settled(id, 'refunded', 250, 250, 250, 250);
    expect(await refundedBy(id)).toBe(1_000);
    await expectStock(world.admin, WEB, sku, 4);
  });

  it('refuses goods that were not ordered, come too late, or are of an order that was never confirmed', async () => {
    const sku = await newSku(world.admin, { shopId: SHOP, quantity: 5 });
    const old = await confirmed(world.till(SHOP), posOrder(SHOP, [sku], { occurredAt: '2017-02-03T10:00:00Z' }));
    expectProblem(await bring(world.manager, old.id, [sellable(sku, 1)]), 409, 'RETURN_WINDOW_CLOSED');
    const fresh = await confirmed(world.till(SHOP), posOrder(SHOP, [sku]));
    expectProblem(await bring(world.manager, fresh.id, [sellable(unique('no'), 1)]), 422, 'SKU_NOT_ORDERED');
    expectProblem(await bring(world.manager, fresh.id, [sellable(sku, 2)]), 409, 'RETURN_EXCEEDS');
    expectProblem(await bring(world.customer, fresh.id, [sellable(sku, 1)]), 404);
    expectProblem(await bring(world.manager, unique('none'), [sellable(sku, 1)]), 404);
    const declined = posOrder(SHOP, [sku], { payment: { method: 'card', token: 'pm_card_visa_chargeDeclined' } });
    const { body: order } = await placeOrder(world.till(SHOP), declined, unique('order'), 10);
    expectProblem(await bring(world.manager, order.id, [sellable(sku, 1)]), 409, 'ORDER_CANCELLED');
    expectProblem(await fulfil(order.id), 409, 'ORDER_CANCELLED');
    await expectStock(world.admin, SHOP, sku, 3);
  });
}
