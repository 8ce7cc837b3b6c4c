// The inventory service on a bench: its shops and skus exist, orders are events, and the store can die between any two saves.
import { type Bearer, type Bench, type CloudEvent, event, startBench } from '#kit/testing/bench';
import { example } from '#kit/testing/example';
import { inventoryService } from '../app.ts';
import { type Item, itemOf } from '../item.ts';
import type { Line } from '../reservation.ts';

export const manager: Bearer = { sub: 'm-1', perm: ['inventory:read', 'inventory:write'], shops: ['*'] };

/** `refused`: the store does not take the transaction. `lost`: it does, and nobody hears of it. */
export type Death = 'refused' | 'lost';

export type MovementKind = 'receipts' | 'adjustments' | 'transfers' | 'write-offs' | 'counts';

export interface InventoryBench extends Bench {
  /** Sends a movement under a key, its own unless told. */
  move(kind: MovementKind, body: object, key?: string): ReturnType<ReturnType<Bench['as']>['post']>;
  /** Books goods in. */
  stock(shopId: string, lines: readonly Line[]): Promise<void>;
  /**
   * Sends it again and again, the store dying at the first transaction that is left each time. Answers how often.
   * @throws {Error} another answer than 503 while the store was dead, or than 201 in the end
   */
  killedAtEach(kind: MovementKind, movement: object, death: Death): Promise<number>;
  /** On hand of each sku, as stored. */
  onHand(shopId: string, lines: readonly { readonly sku: string }[]): (number | undefined)[];
  /** Types of what was published of a stream. */
  typesOf(key: string): string[];
  /** What is stored of a sku; undefined if nothing ever was. */
  item(shopId: string, sku: string): (Item & { readonly version: number }) | undefined;
  /** The store dies at the n-th transaction from now and answers nothing until it is told to live. */
  dieAt(transaction: number, death: Death): void;
  /** Tells the store to live. False if it never died. */
  revive(): boolean;
}

/** So many lines of different skus. */
export function many(count: number, quantity = 2): Line[] {
  return Array.from({ length: count }, (_, n) => ({ sku: `p-${n}`, quantity }));
}

export async function startInventoryBench(): Promise<InventoryBench> {
  const base = await startBench((parts) => inventoryService({ ...parts, sweepAfterSeconds: 30 }), {
    name: 'inventory',
  });
  let keys = 0;
  let dead = false;
  base.play('shop', (path) => {
    const id = decodeURIComponent(path.split('/').at(-1) ?? '');
    return id === 'nowhere' ? 404 : { id, name: 'Shop', kind: 'store', currency: 'USD', timeZone: 'UTC' };
  });
  base.play('product', (_, { questions }: { questions: { skus: string[] }[] }) => {
    return { answers: questions.map(({ skus }) => ({ prices: skus.map((sku) => ({ sku, known: sku !== 'gold' })) })) };
  });
  const bench: InventoryBench = Object.assign(base, {
    move(kind: MovementKind, body: object, key = `key-${++keys}`) {
      return base.as(manager).post(`/api/v1/inventory/${kind}`).set('idempotency-key', key).send(body);
    },
    async stock(shopId: string, lines: readonly Line[]) {
      const { status, body } = await bench.move('receipts', { shopId, lines, reference: `opening-${++keys}` });
      if (status !== 201) throw new Error(JSON.stringify(body));
    },
    async killedAtEach(kind: MovementKind, movement: object, death: Death) {
      // What was refused is done first by the next try; what was lost is not done again.
      const next = death === 'refused' ? 2 : 1;
      const key = `killed-${++keys}`;
      for (let deaths = 0; ; deaths += 1) {
        bench.dieAt(deaths === 0 ? 1 : next, death);
        const { status } = await bench.move(kind, movement, key);
        const died = bench.revive();
        if (died && death === 'lost' && status === 201) return deaths + 1; // an answer that got lost at the very end
        if (status !== (died ? 503 : 201)) throw new Error(`answered ${status} after ${deaths} deaths`);
        if (!died) return deaths;
      }
    },
    onHand: (shopId: string, lines: readonly { readonly sku: string }[]) =>
      lines.map(({ sku }) => bench.item(shopId, sku)?.onHand),
    typesOf: (key: string) => base.published(key).map(({ type }) => type),
    item(shopId: string, sku: string) {
      const document = base.document<Item>(itemOf(shopId, sku).key);
      return document && { ...document.state, version: document.version };
    },
    dieAt(transaction: number, death: Death) {
      let left = transaction;
      base.fake.intercept = async (method: string, path: string, body: string) => {
        if (dead) return path.includes('/state/') ? 'break' : undefined;
        if (!path.endsWith('/transaction') || --left !== 0) return undefined;
        // What is sent on from here comes by once more, and counts below nought.
        if (death === 'lost') await fetch(`http://127.0.0.1:${base.fake.port}${path}`, { method, body });
        dead = true;
        return 'break';
      };
    },
    revive() {
      const died = dead;
      dead = false;
      base.fake.intercept = undefined;
      return died;
    },
  });
  return bench;
}

export interface Sold {
  readonly orderId: string;
  readonly shopId?: string;
  readonly lines: readonly Line[];
  readonly settled?: boolean;
}

type ReturnLine = Line & { readonly condition: 'sellable' | 'damaged' };

/** The events of one order, in their order. `failed` is payment's. */
export function eventsOf({ orderId, shopId = 'north', lines, settled = false }: Sold) {
  const priced = lines.map((line) => {
    return { ...line, unitPrice: 100, discounts: [], total: 100 * line.quantity, department: null };
  });
  const net = priced.reduce((sum, { total }) => sum + total, 0);
  const paymentId = `pay-${orderId}`;
  const shared = { orderId, shopId, partition: shopId, customerId: null };
  const of = (type: string, version: number, more: object = {}): CloudEvent =>
    event(
      type,
      `order:${orderId}`,
      version,
      example(type, { ...shared, lines: priced, gross: net, net, settled, ...more }),
    );
  return {
    placed: of('order.placed', 1),
    confirmed: of('order.confirmed', 2, { paymentId }),
    cancelled: of('order.cancelled', 3),
    returned: (returnId: string, wanted: readonly ReturnLine[], version = 3) =>
      of('order.returned', version, {
        ...{ returnId, amount: 0 },
        lines: wanted.map((line) => ({ ...line, amount: 0, unfulfilled: 0 })),
      }),
    failed: event(
      'payment.failed',
      `payment:${paymentId}`,
      2,
      example('payment.failed', { ...shared, paymentId, amount: net }),
    ),
  };
}
