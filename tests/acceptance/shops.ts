// Shops: opened, read and changed by version.
import { expect, it } from '@jest/globals';
import { everyItem, type Shop } from '../client/retail.ts';
import { etagOf, expectProblem, expectStatus } from './expectations.ts';
import { unique } from './goods.ts';
import { SHOP, WEB, type World } from './world.ts';

/** A shop of its own. */
export function shopNamed(id: string): Shop {
  return { id, name: `Shop ${id}`, kind: 'store', currency: 'USD', timeZone: 'UTC' };
}

export function shopSuite(world: World): void {
  const path = (id: string) => `/api/v1/shops/${id}`;

  it('has the demo shops, for anyone to read', async () => {
    const shops = await everyItem<Shop>(world.anybody, '/api/v1/shops');
    expect(shops.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['shop-343', 'shop-361', 'shop-367', 'shop-406', WEB]),
    );
    expect(shops.find(({ id }) => id === SHOP)).toMatchObject({ kind: 'store', currency: 'USD', timeZone: 'UTC' });
    expect(shops.find(({ id }) => id === WEB)).toMatchObject({ kind: 'web' });
  });

  it('opens a shop once, reads and changes it by version', async () => {
    const shop = shopNamed(unique('shop'));
    const created = expectStatus(await world.admin.send<Shop>('POST', '/api/v1/shops', { body: shop }), 201);
    expect(created.headers.location).toBe(path(shop.id));
    expect(created.body).toMatchObject(shop);
    expectProblem(await world.admin.send('POST', '/api/v1/shops', { body: shop }), 409, 'ALREADY_EXISTS');
    const read = expectStatus(await world.anybody.send<Shop>('GET', path(shop.id)), 200);
    const etag = etagOf(read);
    expect((await world.anybody.send('GET', path(shop.id), { headers: { 'if-none-match': etag } })).status).toBe(304);
    const put = (ifMatch?: string) =>
      world.admin.send<Shop>('PUT', path(shop.id), {
        body: { ...shop, name: 'Renamed' },
        headers: ifMatch ? { 'if-match': ifMatch } : {},
      });
    expectProblem(await put(), 428);
    expect(expectStatus(await put(etag), 200).body.name).toBe('Renamed');
    expectProblem(await put(etag), 412);
    const listed = await everyItem<Shop>(world.anybody, '/api/v1/shops');
    expect(listed.find(({ id }) => id === shop.id)?.name).toBe('Renamed');
  });

  it('refuses what is no shop, and who may not', async () => {
    const shop = shopNamed(unique('shop'));
    for (const change of [
      { kind: 'kiosk' },
      { currency: 'usd' },
      { currency: 'XXXX' },
      { timeZone: 'Mars/Olympus' },
      { name: 1 },
      { extra: 1 },
    ]) {
      expectProblem(await world.admin.send('POST', '/api/v1/shops', { body: { ...shop, ...change } }), 400);
    }
    expectProblem(await world.anybody.send('POST', '/api/v1/shops', { body: shop }), 401);
    expectProblem(await world.cashier.send('POST', '/api/v1/shops', { body: shop }), 403);
    expectProblem(await world.anybody.send('GET', path(shop.id)), 404);
  });
}
