import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeGateway } from '../tests/client/fake-gateway.ts';
import { planDemo, seedDemo, WEB_SHOP } from './demo.ts';
import { readBaskets } from './demo-data.ts';

describe('the demo data', () => {
  let fake: FakeGateway;
  let baseUrl: string;
  beforeEach(async () => {
    fake = new FakeGateway();
    baseUrl = await fake.listen();
  });
  afterEach(() => fake.close());
  const seed = () => seedDemo({ baseUrl, secrets: { 'demo-password': 'pw' } });

  it('has five shops with at least 50 priced products in stock each', async () => {
    await seed();
    expect([...fake.shops.keys()].sort()).toEqual(['shop-343', 'shop-361', 'shop-367', 'shop-406', 'web']);
    for (const shopId of fake.shops.keys()) {
      const shelf = [...fake.stock.keys()].filter((key) => key.startsWith(`${shopId}/`));
      expect(shelf.length).toBeGreaterThanOrEqual(50);
      for (const key of shelf) {
        const product = fake.products.get(key.slice(shopId.length + 1));
        expect(product?.name).toBeTruthy();
        expect(product?.prices[0]?.amount).toBeGreaterThan(0);
      }
    }
  });

  it('costs a login and one read when it is there already', async () => {
    await seed();
    fake.seen.length = 0;
    await seed();
    expect(fake.seen.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });

  it('is completed by the next start when one was cut off, and books no stock twice', async () => {
    await seed();
    const last = planDemo(readBaskets()).assortment.get(WEB_SHOP.id)?.at(-1);
    const before = new Map(fake.stock);
    fake.stock.delete(`web/${last}`);
    await seed();
    before.delete(`web/${last}`);
    expect(fake.stock).toEqual(before);
  });

  it('says which secret is missing', async () => {
    await expect(seedDemo({ baseUrl, secrets: {} })).rejects.toThrow('demo-password');
  });
});
