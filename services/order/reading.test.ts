// Who sees which orders, and what the list view is asked.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Bearer, event } from '#kit/testing/bench';
import { customer, type OrderBench, paid, sale, startOrderBench, till } from './testing/order-bench.ts';

let bench: OrderBench;
beforeAll(async () => {
  bench = await startOrderBench();
});
beforeEach(() => {
  bench.views.queries.length = 0;
  bench.views.find = () => [];
});
afterAll(() => bench.close());

const admin: Bearer = { sub: 'a-1', perm: ['order:read'], shops: ['*'] };

describe('GET /orders/{id}', () => {
  const get = (id: string, bearer?: Bearer) => bench.as(bearer).get(`/api/v1/orders/${id}`);

  test('shows it to its owner and to who reads the shop, and to the others as if it were not there', async () => {
    const [own, sold] = [await bench.place(), await bench.place({ ...sale, customerId: 'till-south' }, till)];
    expect((await get(own.id, customer)).body).toEqual(own);
    expect((await get(own.id, customer).set('if-none-match', '"1"')).status).toBe(304);
    expect((await get(own.id, { ...admin, shops: ['web'] })).body).toEqual(own);
    expect((await get(sold.id, till)).body).toEqual(sold);
    const wrong: [string, Bearer][] = [
      [own.id, { sub: 'c-2', perm: ['order:place'] }],
      [own.id, { ...admin, shops: ['north'] }],
      [own.id, till],
      [sold.id, customer],
      // A till names its customers as it likes: no machine owns an order by its name.
      [sold.id, { sub: 'till-south', client_id: 'till-south', perm: ['order:read'], shops: ['south'] }],
      ['none', admin],
    ];
    for (const [id, bearer] of wrong) {
      expect((await get(id, bearer)).body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    }
    expect((await get(own.id)).body).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });

  test('waits until it is final, or as long as it is told', async () => {
    const { id } = await bench.place();
    expect((await get(`${id}?wait=0.01`, customer)).body).toMatchObject({ status: 'placed' });
    expect((await get(`${id}?wait=-1`, customer)).status).toBe(400);
    const waiting = get(`${id}?wait=30`, customer).then();
    await bench.deliver('payments', paid('payment.captured', bench.summary(id), 2));
    expect(await waiting).toMatchObject({ headers: { etag: '"2"' }, body: { status: 'confirmed' } });
  });
});

describe('GET /orders', () => {
  const list = (query: string, bearer: Bearer) => bench.as(bearer).get(`/api/v1/orders?${query}`);
  /** Without those of the sweep. */
  const questions = () => bench.views.queries.filter(({ sql }) => sql.startsWith('select view'));
  /** The one query that the list view was asked. */
  const question = () => {
    expect(questions()).toHaveLength(1);
    const { sql, params } = questions()[0] ?? { sql: '', params: [] };
    return [sql.replace(/^select view from orders | order by placed_at desc, id desc/g, ''), params];
  };

  const [from, to] = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'];
  test.each<[string, string, Bearer, string, unknown[]]>([
    ['a customer: the own', '', customer, 'where customer_id = $1 limit 21', ['c-1']],
    [
      'a customer: the own at a shop',
      'customerId=c-1&shopId=web&limit=5',
      customer,
      'where customer_id = $1 and shop_id = any($2::text[]) limit 6',
      ['c-1', ['web']],
    ],
    ['a till: those of its shop', '', till, 'where shop_id = any($1::text[]) limit 21', [['north']]],
    ['an admin: all', '', admin, ' limit 21', []],
    [
      'all that may be asked',
      `customerId=c-9&shopId=web&status=confirmed&from=${from}&to=${to}&limit=100`,
      admin,
      'where customer_id = $1 and shop_id = any($2::text[]) and status = $3 and ' +
        'placed_at >= $4::text::timestamptz and placed_at < $5::text::timestamptz limit 101',
      ['c-9', ['web'], 'confirmed', from, to],
    ],
  ])('asks for %s', async (_, query, bearer, condition, params) => {
    expect((await list(query, bearer)).body).toEqual({ items: [], next: null });
    expect(question()).toEqual([condition, params]);
  });

  test.each<[string, string, Bearer, number]>([
    ['another customer’s', 'customerId=c-2', customer, 403],
    ['another shop’s', 'shopId=web', till, 403],
    ['a status that no order has', 'status=lost', admin, 400],
    ['a day for an instant', 'from=2026-01-01', admin, 400],
    ['more than a hundred', 'limit=101', admin, 400],
    ['a cursor of another list', 'cursor=ImEi', admin, 400],
    ['a parameter that is none', 'sku=tea', admin, 400],
  ])('refuses %s', async (_, query, bearer, status) => {
    expect((await list(query, bearer)).status).toBe(status);
    expect(questions()).toEqual([]);
  });

  test('pages by time and id', async () => {
    const orders = [await bench.place(), await bench.place()];
    bench.views.find = () => orders.map((view) => ({ view }));
    const first = await list('limit=1&status=placed', admin);
    expect(first.body).toEqual({ items: [orders[0]], next: expect.any(String) });
    expect(first.headers.link).toBe(`</api/v1/orders?limit=1&status=placed&cursor=${first.body.next}>; rel="next"`);
    bench.views.queries.length = 0;
    bench.views.find = () => [{ view: orders[1] }];
    const second = await list(`limit=1&cursor=${first.body.next}`, admin);
    expect(second.body).toEqual({ items: [orders[1]], next: null });
    const after = [orders[0]?.placedAt, orders[0]?.id];
    expect(question()).toEqual(['where (placed_at, id) < ($1::text::timestamptz, $2) limit 2', after]);
  });

  test('has a row for each order at its newest, and says when it has not yet what the client wrote', async () => {
    const { id } = await bench.place();
    const summary = bench.summary(id);
    const stream = `order:${id}`;
    const byRequest = { cancellation: { code: 'CUSTOMER_REQUEST', detail: '' }, from: 'confirmed' };
    const events = [
      event('order.placed', stream, 1, summary),
      event('order.confirmed', stream, 2, { ...summary, paymentId: 'pay' }),
      event('order.cancelled', stream, 3, { ...summary, ...byRequest }),
      event('order.refunded', stream, 4, { ...summary, ...byRequest, amount: 500 }),
    ];
    const statuses = ['placed', 'confirmed', 'cancelled', 'cancelled'];
    for (const [index, each] of events.entries()) {
      expect(await bench.deliver('orders', each)).toEqual(['SUCCESS']);
      const { placedAt: placed_at, deadlineAt: deadline_at } = summary;
      expect(bench.views.row('orders', id)).toMatchObject({
        ...{ version: index + 1, status: statuses[index], shop_id: 'web', customer_id: 'c-1', placed_at, deadline_at },
        view: { id, version: index + 1, status: statuses[index], lines: [{ sku: 'tea' }] },
      });
    }
    expect(bench.views.row('orders', id)).toMatchObject({ view: { payment: { status: 'refunded' } } });
    await bench.deliver('orders', ...events.toReversed());
    expect(bench.views.row('orders', id)).toMatchObject({ version: 4 });
    expect((await list('', admin).set('x-min-version', `${id}@4`)).headers['x-stale']).toBeUndefined();
    expect((await list('', admin).set('x-min-version', `${id}@5`)).headers['x-stale']).toBe('true');
  });
});
