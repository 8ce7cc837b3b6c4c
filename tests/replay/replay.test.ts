import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Basket, readBaskets, readExpected, readProducts } from '../../stack/demo-data.ts';
import { FakeGateway } from '../client/fake-gateway.ts';
import { Gateway } from '../client/gateway.ts';
import { compare } from './comparison.ts';
import { compareDepartments } from './departments.ts';
import { defineCatalogue, openingReceipts, openStock } from './opening.ts';
import { Progress } from './progress.ts';
import { awaitReport } from './report.ts';
import { dayOf, isSelected, selectionOf } from './selection.ts';
import { tableOf } from './table.ts';
import { runTills } from './tills.ts';

const baskets = readBaskets();
const expected = readExpected();

describe('what is selected', () => {
  const days = (text?: string, shop?: string) => selectionOf({ days: text, shop }, baskets);

  it('is all of the data unless told', () => {
    const all = days();
    expect(baskets.every((basket) => isSelected(all, { shopId: basket.shopId, day: dayOf(basket) }))).toBe(true);
  });
  it('takes a number of days, a day, a range and a shop', () => {
    expect(days('7')).toMatchObject({ from: '2017-01-01', to: '2017-01-07' });
    expect(days('2017-01-03')).toMatchObject({ from: '2017-01-03', to: '2017-01-03' });
    expect(days('2017-01-03..2017-01-09', 'shop-343')).toEqual({
      shopId: 'shop-343',
      from: '2017-01-03',
      to: '2017-01-09',
    });
  });
  it.each(['0', 'x', '2017-01-09..2017-01-03', '2018-01-01', '2017-1-1'])('refuses days %s', (text) => {
    expect(() => days(text)).toThrow();
  });
  it('refuses a shop that is not in the data', () => {
    expect(() => days('7', 'shop-1')).toThrow('shop-343');
  });
});

describe('the opening stock', () => {
  it('is what the data sells, in bodies the gateway takes, each reference once per shop', () => {
    const receipts = openingReceipts(baskets);
    const units = (of: readonly { quantity: number }[]) => of.reduce((sum, { quantity }) => sum + quantity, 0);
    expect(units(receipts.flatMap(({ lines }) => lines))).toBe(units(baskets.flatMap(({ lines }) => lines)));
    expect(new Set(receipts.map(({ shopId, reference }) => `${shopId} ${reference}`)).size).toBe(receipts.length);
    for (const receipt of receipts) {
      expect(receipt.lines.length).toBeLessThanOrEqual(20_000);
      expect(JSON.stringify(receipt).length).toBeLessThan(2 * 1024 * 1024);
    }
  });
});

describe('the comparison', () => {
  const [row] = expected;
  if (!row) throw new Error('no data');
  const reported = {
    shopId: row.shopId,
    day: row.day,
    orders: row.baskets,
    units: row.units,
    gross: 0,
    discounts: 0,
    discountsByKind: { loyalty: row.loyaltyDiscount, storeCoupon: row.storeCoupon, manual: 0 },
    net: row.net,
  };

  it('finds equal rows equal', () => {
    expect(compare([row], [reported])[0]?.differing).toEqual([]);
  });
  it('finds a cent, a missing row and a row too many', () => {
    expect(compare([row], [{ ...reported, net: row.net + 1 }])[0]?.differing).toEqual(['net']);
    expect(compare([row], [])[0]?.differing).toContain('baskets');
    expect(compare([], [reported])[0]?.differing).toContain('net');
    expect(tableOf(compare([row], [{ ...reported, net: row.net + 1 }])).join('\n')).toMatch(
      /215\.71.*DIFFERS\n.*215\.70.*expected/,
    );
  });
});

describe('the comparison by department', () => {
  const [basket] = baskets as [Basket];
  const products = readProducts();
  const departmentOf = new Map(products.map(({ sku, department }) => [sku, department || null]));
  const reported = [...new Set(basket.lines.map(({ sku }) => departmentOf.get(sku) ?? null))].map((department) => {
    const own = basket.lines.filter(({ sku }) => (departmentOf.get(sku) ?? null) === department);
    const sum = (of: 'quantity' | 'net') => own.reduce((total, line) => total + line[of], 0);
    return { shopId: basket.shopId, day: dayOf(basket), department, units: sum('quantity'), net: sum('net') };
  });
  const differing = (rows: typeof reported) => compareDepartments([basket], products, rows).differing.length;

  it('finds equal groups equal, a cent, a missing group and one too many', () => {
    const [first, ...others] = reported as [(typeof reported)[number]];
    expect(differing(reported)).toBe(0);
    expect(differing([{ ...first, net: first.net + 1 }, ...others])).toBe(1);
    expect(differing(others)).toBe(1);
    expect(differing([...reported, { ...first, department: 'NOWHERE' }])).toBe(1);
  });
});

describe('the progress', () => {
  it('draws a bar on a terminal and plain lines elsewhere', () => {
    for (const isTTY of [true, false]) {
      let now = 0;
      let text = '';
      const bar = new Progress({
        total: 4,
        label: 'baskets',
        out: { write: (more) => (text += more), isTTY },
        now: () => now,
      });
      for (let i = 0; i < 2; i++) {
        now += 5_000;
        bar.step();
      }
      expect(text).toContain(isTTY ? '[###############...............] 2/4' : 'baskets 50 %  2/4  0.2/s  0:10 left\n');
    }
  });
});

describe('a replay against a gateway in memory', () => {
  let fake: FakeGateway;
  let gateway: Gateway;
  beforeEach(async () => {
    fake = new FakeGateway();
    gateway = new Gateway({ baseUrl: await fake.listen(), patience: 5_000 });
  });
  afterEach(async () => {
    await gateway.close();
    await fake.close();
  });

  const selection = selectionOf({ shop: 'shop-343', days: '3' }, baskets);
  const chosen = baskets.filter((basket) => isSelected(selection, { shopId: basket.shopId, day: dayOf(basket) }));
  const run = (some: readonly Basket[], signal?: AbortSignal) =>
    runTills({ baskets: some, concurrency: 4, till: () => gateway, ...(signal && { signal }) });

  it('ends with every row equal, also after lost answers and a second run', async () => {
    expect(await defineCatalogue(gateway)).toBe(11_281);
    expect(await defineCatalogue(gateway)).toBe(0);
    for (const receipt of openingReceipts(baskets)) await openStock(gateway, receipt);
    fake.mishaps.push('drop-after', { status: 503, retryAfter: '0' }, 'drop-before', 'drop-after');
    expect(await run(chosen.slice(0, 10))).toMatchObject({ done: 10, failures: [] });
    expect(await run(chosen)).toMatchObject({ done: chosen.length, replayed: 10, failures: [] });
    const rows = await awaitReport(gateway, { expected, selection });
    expect(rows).toHaveLength(3);
    expect(rows.flatMap(({ differing }) => differing)).toEqual([]);
  });

  it('stops between baskets when it is interrupted', async () => {
    const stop = new AbortController();
    const going = runTills({
      baskets: chosen,
      concurrency: 2,
      till: () => gateway,
      signal: stop.signal,
      step: () => stop.abort(),
    });
    expect((await going).done).toBeLessThan(5);
  });
});
