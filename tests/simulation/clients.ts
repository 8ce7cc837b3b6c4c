// What people do: they order, wait, lose patience and ask again, click twice, cancel at any time. And stock comes in.
import { isRefusal } from '../../services/kit/errors.ts';
import { type Caller, callerOf } from '../../services/kit/http/caller.ts';
import type { AnsweredOrder } from '../invariants/sagas.ts';
import { hot, rare } from './assortment.ts';
import { BAD_CARD } from './card-provider.ts';
import type { Asked } from './process.ts';
import type { World } from './world.ts';

const ORDERS = '/api/v1/orders';
/** Milliseconds that a client waits for an answer. */
const PATIENCE = 6_000;

/** How many orders a second come in. */
const RATE = 120;

/** What people want on this day. */
interface Demand {
  /** Skus of ordinary baskets. */
  readonly skus: readonly string[];
  /** Part of the baskets that do not fit one transaction. */
  readonly long: number;
  /** Part of the orders that are cancelled. */
  readonly cancelled: number;
}

export class Clients {
  readonly answered: AnsweredOrder[] = [];
  readonly #world: World;
  readonly #demand: Demand;

  constructor(world: World) {
    this.#world = world;
    const { random } = world;
    this.#demand = {
      skus: hot.slice(0, random.chance(0.3) ? 1 : hot.length),
      long: random.chance(0.15) ? 0.04 : 0.002,
      cancelled: random.chance(0.3) ? 0.5 : 0.1,
    };
  }

  /** Fills the shelves, all of them without faults. */
  async stockUp(orders: number): Promise<void> {
    const enough = Math.ceil(orders / this.#demand.skus.length);
    await Promise.all(
      ['web', 'north', 'south'].map((shopId) =>
        this.#receive(shopId, 'opening', [
          ...hot.map((sku, n) => ({ sku, quantity: Math.ceil(enough / (n + 1)) })),
          ...rare.map((sku) => ({ sku, quantity: Math.ceil(orders / 40) + 2 })),
        ]),
      ),
    );
  }

  /** Sends so many orders on their way, over the time that they need. Answers when the last will come. */
  open(orders: number): number {
    const { time, random } = this.#world;
    const length = (orders / RATE) * 1_000;
    for (let n = 0; n < orders; n += 1) time.schedule(random.between(0, length), () => void this.#shop(n));
    for (let n = 0; n < Math.ceil(orders / 50); n += 1) {
      const lines = (random.chance(0.2) ? rare : hot).map((sku) => ({ sku, quantity: 1 + random.below(9) }));
      const shopId = random.pick(['web', 'north', 'south']);
      time.schedule(random.between(0, length), () => void this.#receive(shopId, `delivery-${n}`, lines));
      if (random.chance(0.3)) time.schedule(random.between(0, length), () => void this.#work(n, shopId, lines));
      if (!random.chance(0.3)) continue;
      const corrections = lines.map(({ sku, quantity }) => ({
        sku,
        quantity: random.chance(0.5) ? quantity : -quantity,
      }));
      time.schedule(random.between(0, length), () => void this.#adjust(shopId, `count-${n}`, corrections));
    }
    return length;
  }

  async #shop(n: number): Promise<void> {
    const { time, random, weather } = this.#world;
    const kind = random.next();
    const channel = kind < 0.5 ? 'web' : kind < 0.9 ? 'pos' : 'machine';
    const shopId = channel === 'web' ? 'web' : random.pick(['north', 'south']);
    const caller = channel === 'web' && random.chance(0.3) ? customer(random.uuid()) : till;
    const cash = channel !== 'web' && random.chance(0.4);
    const payment = cash ? { method: 'cash' } : { method: 'card', token: random.chance(0.12) ? BAD_CARD : `tok_${n}` };
    const body = { channel, shopId, lines: this.#basket(), payment };
    const order: Asked = { method: 'POST', path: ORDERS, body, caller, key: `order-${n}` };
    const clicks = weather.happens('doubleClick') ? 2 : 1;
    const answers = await Promise.all(Array.from({ length: clicks }, () => this.#until(order, 8)));
    const orderIds = answers.flatMap((answer) => (answer as { id: string } | undefined)?.id ?? []);
    for (const orderId of orderIds) this.answered.push({ key: `${caller.id} order-${n}`, orderId });
    const [orderId] = orderIds;
    if (orderId !== undefined && random.chance(0.05)) return this.#bringBack(n, orderId, body.lines);
    if (orderId === undefined || !random.chance(this.#demand.cancelled)) return;
    await time.pause(random.chance(0.7) ? random.between(0, 300) : random.between(0, 10_000));
    const path = `${ORDERS}/:id/cancel`;
    await this.#until(
      { method: 'POST', path, params: { id: orderId }, body: { reason: 'No more' }, caller, key: `no-${n}` },
      4,
    );
  }

  /** Goods are handed out, and come back in parts: more often than they were bought. */
  async #bringBack(n: number, orderId: string, lines: readonly { sku: string; quantity: number }[]): Promise<void> {
    const { time, random, weather } = this.#world;
    for (let part = 0; part < 4; part += 1) {
      await time.pause(random.between(200, 6_000));
      const { sku } = random.pick(lines);
      const condition = random.chance(0.7) ? 'sellable' : 'damaged';
      const [what, body] = random.chance(0.2)
        ? ['fulfilments', {}]
        : ['returns', { reason: '', lines: [{ sku, quantity: 1, condition }] }];
      const path = `${ORDERS}/:id/${what}`;
      const asked: Asked = {
        method: 'POST',
        path,
        params: { id: orderId },
        body,
        caller: till,
        key: `back-${n}-${part}`,
      };
      const clicks = weather.happens('doubleClick') ? 2 : 1;
      await Promise.all(Array.from({ length: clicks }, () => this.#until(asked, 4)));
    }
  }

  #basket(): { sku: string; quantity: number }[] {
    const { random } = this.#world;
    if (random.chance(this.#demand.long)) return rare.slice(random.below(5)).map((sku) => ({ sku, quantity: 1 }));
    const lines = Array.from({ length: random.chance(0.8) ? 1 : 3 }, () => ({
      sku: random.pick(this.#demand.skus),
      quantity: 1 + random.below(2),
    }));
    return lines;
  }

  #receive(shopId: string, reference: string, lines: readonly { sku: string; quantity: number }[]) {
    return this.#book('receipts', shopId, reference, lines);
  }

  #adjust(shopId: string, reference: string, lines: readonly { sku: string; quantity: number }[]) {
    return this.#book('adjustments', shopId, reference, lines);
  }

  /** What staff do with stock beside receipts and corrections. */
  async #work(n: number, shopId: string, lines: readonly { sku: string; quantity: number }[]): Promise<void> {
    const { random } = this.#world;
    const kind = random.pick(['write-offs', 'counts', 'transfers']);
    const key = `${kind}-${n}`;
    const ask = (body: object, path = `/api/v1/inventory/${kind}`, more: Partial<Asked> = {}) =>
      this.#until({ method: 'POST', path, body, caller: till, key, ...more }, 8, 'inventory');
    const reference = key;
    if (kind === 'write-offs') {
      return void (await ask({ shopId, reference, lines: lines.map((line) => ({ ...line, reason: 'stolen' })) }));
    }
    if (kind === 'counts') {
      const counted = lines.map(({ sku, quantity }) => ({ sku, counted: 20 + quantity }));
      return void (await ask({ shopId, reference, lines: counted }));
    }
    const toShopId = shopId === 'web' ? 'north' : 'web';
    const receive = random.chance(0.5);
    const sent = await ask({ shopId, toShopId, reference, receive, lines });
    if (sent === undefined || receive) return;
    const arrived = lines.map(({ sku, quantity }) => ({ sku, received: quantity - random.below(2), damaged: 0 }));
    const { id } = sent as { id: string };
    await ask({ lines: arrived }, '/api/v1/inventory/transfers/:id/receipts', { params: { id }, key: `arrived-${n}` });
  }

  #book(what: string, shopId: string, reference: string, lines: readonly { sku: string; quantity: number }[]) {
    const path = `/api/v1/inventory/${what}`;
    const key = `${what}-${shopId}-${reference}`;
    return this.#until({ method: 'POST', path, body: { shopId, reference, lines }, caller: till, key }, 8, 'inventory');
  }

  /** Asks until there is an answer, at most so often. Undefined: none, or a refusal. */
  async #until(asked: Asked, tries: number, appId = 'order'): Promise<unknown> {
    const { time, random } = this.#world;
    for (let attempt = 0; attempt < tries; attempt += 1) {
      if (attempt > 0) await time.pause(random.between(100, 3_000));
      const answer = await this.#ask(asked, appId);
      if (answer === undefined) continue;
      return isRefusal(answer) ? undefined : answer.body;
    }
    return undefined;
  }

  /** One request; it may not arrive, and its answer may not come back. */
  #ask(asked: Asked, appId: string): ReturnType<NonNullable<ReturnType<World['some']>>['request']> {
    const { time, random, weather } = this.#world;
    return new Promise((resolve) => {
      time.schedule(PATIENCE, () => resolve(undefined));
      time.schedule(random.between(0.5, 5), () => {
        if (weather.happens('lost')) return;
        const process = this.#world.some(appId);
        if (!process) return resolve(undefined);
        void process.request(asked).then((answer) => {
          if (!weather.happens('answerLost')) time.schedule(random.between(0.5, 5), () => resolve(answer));
        });
      });
    });
  }
}

const till: Caller = { ...callerOf({ sub: 'till', client_id: 'till', shops: ['*'] }), may: () => true };

function customer(id: string): Caller {
  return callerOf({ sub: id, grants: [{ perm: ['order:place'], in: ['self'] }] });
}
