// What the public surface refuses: each with the right problem document, never a 500, and nothing written.
import { beforeAll, expect, it } from '@jest/globals';
import { getStock, type Order, type Page } from '../client/retail.ts';
import { expectProblem, expectStatus, expectStock } from './expectations.ts';
import { newGoods, unique } from './goods.ts';
import { OTHER_SHOP, SHOP, WEB, type World } from './world.ts';

const HUGE = 2 ** 53;

export function badInputSuite(world: World): void {
  let sku = '';
  let customerId = '';
  beforeAll(async () => {
    customerId = unique('nobody');
    [sku = ''] = await newGoods(world.admin, { shopId: SHOP, quantity: 7 });
  });
  const line = (changes: object = {}) => ({ sku, quantity: 1, unitPrice: 100, ...changes });
  const order = (changes: object = {}) => ({
    channel: 'pos',
    shopId: SHOP,
    customerId,
    lines: [line()],
    payment: { method: 'card', token: 'pm_card_visa' },
    ...changes,
  });
  const send = (body: unknown, gateway = world.till(SHOP)) =>
    gateway.send<Order>('POST', '/api/v1/orders', { body, key: unique('bad') });

  const cases: Record<string, () => [body: unknown, status: number | number[], code?: string]> = {
    'an empty body': () => [{}, 400],
    'an array': () => [[], 400],
    'a text': () => ['order', 400],
    null: () => [null, 400],
    'an unknown field': () => [order({ extra: true }), 400],
    'an unknown field in a line': () => [order({ lines: [line({ tax: 1 })] }), 400],
    'a field in the wrong case': () => [order({ shopID: SHOP }), 400],
    'no lines': () => [order({ lines: [] }), 400],
    'lines that are no list': () => [order({ lines: line() }), 400],
    'a line that is null': () => [order({ lines: [null] }), 400],
    'an unknown channel': () => [order({ channel: 'fax' }), 400],
    'a number as shop': () => [order({ shopId: 343 }), 400],
    'an empty sku': () => [order({ lines: [line({ sku: '' })] }), [400, 422]],
    'a sku of 10,000 characters': () => [order({ lines: [line({ sku: 'x'.repeat(10_000) })] }), [400, 422]],
    'a sku with NUL': () => [order({ lines: [line({ sku: 'a\u0000b' })] }), 400],
    'half a surrogate pair': () => [order({ customerId: '\ud800' }), 400],
    'quantity zero': () => [order({ lines: [line({ quantity: 0 })] }), 400],
    'a negative quantity': () => [order({ lines: [line({ quantity: -1 })] }), 400],
    'half a piece': () => [order({ lines: [line({ quantity: 0.5 })] }), 400],
    'a quantity as text': () => [order({ lines: [line({ quantity: '1' })] }), 400],
    'a quantity of 2^53': () => [order({ lines: [line({ quantity: HUGE })] }), 400],
    'a quantity of 1e400': () => [JSON.stringify(order()).replace('"quantity":1', '"quantity":1e400'), 400],
    'a negative price': () => [order({ lines: [line({ unitPrice: -1 })] }), 400],
    'a price with a fraction': () => [order({ lines: [line({ unitPrice: 1.5 })] }), 400],
    'a price of 2^53': () => [order({ lines: [line({ unitPrice: HUGE })] }), 400],
    'a total beyond 2^53': () => [order({ lines: [line({ unitPrice: HUGE - 1, quantity: 1_000 })] }), 400],
    'a discount above the line': () => [
      order({ lines: [line({ discounts: [{ kind: 'manual', amount: 101 }] })] }),
      400,
    ],
    'a negative discount': () => [order({ lines: [line({ discounts: [{ kind: 'manual', amount: -1 }] })] }), 400],
    'an unknown discount': () => [order({ lines: [line({ discounts: [{ kind: 'friend', amount: 1 }] })] }), 400],
    'no payment': () => [order({ payment: undefined }), 400],
    'an unknown payment': () => [order({ payment: { method: 'shells' } }), 400],
    'a card without token': () => [order({ payment: { method: 'card' } }), 400],
    'cash with a token': () => [order({ payment: { method: 'cash', token: 'pm_card_visa' } }), 400],
    'a sale of tomorrow': () => [order({ occurredAt: new Date(Date.now() + 86_400_000).toISOString() }), 400],
    'a sale of no time': () => [order({ occurredAt: 'yesterday' }), 400],
    'the 30th of February': () => [order({ occurredAt: '2017-02-30T10:00:00Z' }), 400],
    'a coupon that nobody knows': () => [order({ coupons: ['FREE'] }), 422, 'COUPON_UNKNOWN'],
    'an unknown sku': () => [order({ lines: [line(), line({ sku: unique('none') })] }), [404, 422]],
    'an unknown shop': () => [order({ shopId: unique('shop') }), [403, 404, 422]],
    'a prototype': () => [JSON.stringify(order()).replace('"channel"', '"__proto__":{"admin":true},"channel"'), 400],
  };
  it.each(Object.keys(cases))('an order with %s', async (name) => {
    const [body, status, code] = cases[name]?.() ?? [undefined, 400];
    const sent = typeof body === 'string' && body.startsWith('{') ? await raw(body) : await send(body);
    const problem = expectProblem(sent, status, code);
    if (problem.code === 'VALIDATION_FAILED') {
      expect(problem.errors?.length).toBeGreaterThan(0);
      for (const { pointer } of problem.errors ?? []) expect(pointer).toMatch(/^(\/|$)/);
    }
  });

  const raw = (body: string, headers: Record<string, string> = {}) =>
    world.till(SHOP).send<Order>('POST', '/api/v1/orders', {
      raw: body,
      key: unique('bad'),
      headers: { 'content-type': 'application/json', ...headers },
    });

  it('an unknown shop, asked by who may sell everywhere', async () => {
    expectProblem(await send(order({ shopId: unique('shop') }), world.admin), [404, 422]);
  });

  it('two lines of one sku: refused, or added up', async () => {
    const answer = await send(
      order({
        lines: [line(), line({ quantity: 2 })],
        customerId: unique('twice'),
        occurredAt: '2017-01-01T00:00:00Z',
      }),
    );
    if (answer.status === 201) expect(answer.body.net).toBe(300);
    else expectProblem(answer, 400);
    if (answer.status === 201)
      await world.admin.call('POST', `/api/v1/orders/${answer.body.id}/cancel`, {
        body: { reason: 'test' },
        key: unique('cancel'),
      });
  });

  it('malformed JSON, another content type, wrong bytes', async () => {
    for (const body of ['', '{', '{"channel":', 'order', '{"a":1}}', "{'a':1}", '{"a":NaN}', '\u0000'])
      expectProblem(await raw(body), 400);
    expectProblem(await raw(JSON.stringify(order()), { 'content-type': 'text/plain' }), 415);
    expectProblem(await raw(JSON.stringify(order()), { 'content-type': 'application/json; charset=latin1' }), 415);
    const wrongUtf8 = Buffer.concat([Buffer.from('{"channel":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    expectProblem(
      await world.till(SHOP).send('POST', '/api/v1/orders', {
        raw: wrongUtf8,
        key: unique('bad'),
        headers: { 'content-type': 'application/json' },
      }),
      400,
    );
  });

  it('a body of more than 256 KiB, and deep nesting', async () => {
    expectProblem(await send(order({ customerId: 'x'.repeat(257 * 1024) })), 413);
    expectProblem(await raw(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), [400, 413]);
    const lines = Array.from({ length: 2 }, () => line());
    expectProblem(
      await world.admin.send('POST', '/api/v1/inventory/receipts', {
        raw: JSON.stringify({ shopId: SHOP, reference: 'x'.repeat(2 * 1024 * 1024), lines }),
        key: unique('bad'),
        headers: { 'content-type': 'application/json' },
      }),
      413,
    );
  });

  it('a foreign currency', async () => {
    const product = {
      sku: unique('sku'),
      name: 'Euro',
      attributes: {},
      prices: [{ shopId: 'default', amount: 100, currency: 'EUR' }],
    };
    expectStatus(await world.admin.send('POST', '/api/v1/products', { body: product }), 201);
    const body = {
      channel: 'web',
      shopId: WEB,
      lines: [{ sku: product.sku, quantity: 1 }],
      payment: { method: 'card', token: 'pm_card_visa' },
    };
    expectProblem(await send(body, world.customer), [400, 409, 422]);
    for (const currency of ['eur', 'EURO', '', 1]) {
      const bad = { ...product, sku: unique('sku'), prices: [{ shopId: 'default', amount: 100, currency }] };
      expectProblem(await world.admin.send('POST', '/api/v1/products', { body: bad }), 400);
    }
  });

  it('a product without a price', async () => {
    const product = { sku: unique('sku'), name: 'Not for sale', attributes: {}, prices: [] };
    expectStatus(await world.admin.send('POST', '/api/v1/products', { body: product }), 201);
    const body = {
      channel: 'web',
      shopId: WEB,
      lines: [{ sku: product.sku, quantity: 1 }],
      payment: { method: 'card', token: 'pm_card_visa' },
    };
    expectProblem(await send(body, world.customer), [409, 422]);
  });

  it('a card token that does not exist does not stop the shop', async () => {
    const answer = await world.till(SHOP).send<Order>('POST', '/api/v1/orders', {
      body: order({ customerId: unique('card'), payment: { method: 'card', token: 'pm_no_such_card' } }),
      key: unique('bad'),
      headers: { prefer: 'wait=10' },
    });
    if (answer.status === 201)
      expect(answer.body).toMatchObject({ status: 'cancelled', cancellation: { code: 'PAYMENT_DECLINED' } });
    else expectProblem(answer, [400, 422]);
  });

  it('ids that are no ids', async () => {
    for (const id of ['%00', '..%2f..', 'a%2fb', '%ff', "'; drop table orders; --", 'x'.repeat(2_000)]) {
      for (const path of ['orders', 'products', 'shops', 'payments', `inventory/${SHOP}`]) {
        const answer = await world.admin.send(
          'GET',
          `/api/v1/${path}/${id.includes('%') ? id : encodeURIComponent(id)}`,
        );
        if (path === `inventory/${SHOP}` && answer.status === 200) continue;
        expectProblem(answer, [400, 404, 414, 431]);
      }
    }
  });

  it('a wrong cancel', async () => {
    const cancel = (body: unknown, key?: string) =>
      world.admin.send('POST', '/api/v1/orders/00000000-0000-4000-8000-000000000000/cancel', {
        body,
        ...(key && { key }),
      });
    expectProblem(await cancel({ reason: 'x' }), 400);
    expectProblem(await cancel({ reason: 'x' }, unique('bad')), 404);
    for (const body of [{}, { reason: 1 }, { reason: 'x', extra: 1 }])
      expectProblem(await cancel(body, unique('bad')), 400);
  });

  it('wrote nothing of all this', async () => {
    const { body } = await world.admin.call<Page<Order>>('GET', '/api/v1/orders', { query: { customerId } });
    expect(body.items).toEqual([]);
    await expectStock(world.admin, SHOP, sku, 7);
    expect(await getStock(world.admin, OTHER_SHOP, sku).catch(() => ({ onHand: 0 }))).toMatchObject({ onHand: 0 });
  });
}
