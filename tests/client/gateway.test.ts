import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeGateway } from './fake-gateway.ts';
import { Gateway } from './gateway.ts';
import { client, person } from './identity.ts';
import { ProblemError } from './problem.ts';
import { followOrder, type OrderRequest, placeOrder } from './retail.ts';

const ORDER: OrderRequest = {
  channel: 'pos',
  shopId: 's',
  lines: [{ sku: 'a', quantity: 1, unitPrice: 5 }],
  payment: { method: 'cash' },
};

describe('the client of the gateway', () => {
  let fake: FakeGateway;
  let gateway: Gateway;

  beforeEach(async () => {
    fake = new FakeGateway();
    gateway = new Gateway({ baseUrl: await fake.listen(), patience: 3_000 });
  });
  afterEach(async () => {
    await gateway.close();
    await fake.close();
  });

  it('asks for a till token once and renews it before it ends', async () => {
    const till = gateway.as(client('till-s', 'secret'));
    await Promise.all([placeOrder(till, ORDER, 'k1'), placeOrder(till, ORDER, 'k2')]);
    expect(fake.calls('POST', '/api/v1/auth/token')).toHaveLength(1);
    expect(fake.calls('POST', '/api/v1/auth/token')[0]?.body).toBe(
      'grant_type=client_credentials&client_id=till-s&client_secret=secret',
    );
    fake.tokenSeconds = 10;
    const short = gateway.as(client('till-s', 'secret'));
    await placeOrder(short, ORDER, 'k3');
    await placeOrder(short, ORDER, 'k4');
    expect(fake.calls('POST', '/api/v1/auth/token').length).toBeGreaterThanOrEqual(3);
  });

  it('logs a person in and sends the token', async () => {
    await placeOrder(gateway.as(person('a@b.test', 'pw')), ORDER, 'k');
    expect(fake.calls('POST', '/api/v1/orders')[0]?.authorization).toBe('Bearer token-1');
  });

  it('renews a token that the gateway does not take any more, once', async () => {
    const till = gateway.as(client('till-s', 'secret'));
    await placeOrder(till, ORDER, 'k1');
    fake.mishaps.push({ status: 401 });
    expect((await placeOrder(till, ORDER, 'k2')).status).toBe(201);
    expect(fake.calls('POST', '/api/v1/auth/token')).toHaveLength(2);
  });

  it.each([429, 503])('repeats after %i with the same key and honours Retry-After', async (status) => {
    fake.mishaps.push({ status, retryAfter: '1' });
    const started = Date.now();
    expect((await placeOrder(gateway, ORDER, 'k')).status).toBe(201);
    expect(Date.now() - started).toBeGreaterThanOrEqual(1_000);
    expect(fake.calls('POST', '/api/v1/orders').map(({ key }) => key)).toEqual(['k', 'k']);
  });

  it('does not repeat a write without a key after 503', async () => {
    fake.mishaps.push({ status: 503, retryAfter: '0' });
    await expect(gateway.call('POST', '/api/v1/shops', { body: { id: 's' } })).rejects.toMatchObject({
      status: 503,
      code: 'MISHAP',
    });
  });

  it.each([
    'drop-before',
    'drop-after',
  ] as const)('repeats a lost connection (%s) with the same key and buys once', async (mishap) => {
    fake.mishaps.push(mishap);
    const { body } = await placeOrder(gateway, ORDER, 'k');
    expect(fake.orders.size).toBe(1);
    expect((await followOrder(gateway, body, 5)).status).toBe('confirmed');
  });

  it('throws any other refusal as a problem with its code', async () => {
    const refused = gateway.call('POST', '/api/v1/orders', { body: ORDER });
    await expect(refused).rejects.toBeInstanceOf(ProblemError);
    await expect(refused).rejects.toMatchObject({ status: 400, code: 'IDEMPOTENCY_KEY_MISSING' });
  });

  it('gives up when its patience is over', async () => {
    fake.mishaps.push(...Array.from({ length: 9 }, () => ({ status: 503, retryAfter: '1' })));
    await expect(placeOrder(gateway, ORDER, 'k')).rejects.toMatchObject({ status: 503 });
  });
});
