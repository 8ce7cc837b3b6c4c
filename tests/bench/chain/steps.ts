// Does the steps of the shape: the only logic that an app of the chain has.
import { setTimeout as pause } from 'node:timers/promises';
import { Together } from '#kit/together';
import { filler } from './filler.ts';
import { Publisher } from './publisher.ts';
import type { Answer, Sidecar } from './sidecar.ts';
import type { Shape, Step, Together as TogetherStep } from './step.ts';
import { type BareOrder, groupsOf, type Read, Store } from './store.ts';

/** An order on its way; `type` is that of the message which brought it, if one did. */
export interface Work {
  readonly orders: readonly BareOrder[];
  /** Type to publish, by order id. */
  readonly types?: ReadonlyMap<string, string>;
  readonly read: Read;
}

const WORKERS = 8;
/** An HTTP answer does not wait longer for the broker. */
const BROKER_MS = 100;

export class Steps {
  readonly #sidecar: Sidecar;
  readonly #store: Store;
  readonly #shape: Shape;
  readonly #publisher: Publisher;
  readonly #finals = new Map<string, PromiseWithResolvers<void>>();
  readonly #gathered = new Map<TogetherStep, Together<Work, Answer | undefined>>();
  readonly #later = new Set<readonly Step[]>();
  readonly #queue: (() => Promise<void>)[] = [];
  #providerKey: Promise<string> | undefined;
  #working = 0;
  #rows = 0;

  constructor(sidecar: Sidecar, appId: string, shape: Shape) {
    this.#sidecar = sidecar;
    this.#shape = shape;
    this.#store = new Store(sidecar, appId, shape);
    this.#publisher = new Publisher(sidecar, appId);
  }

  get store(): Store {
    return this.#store;
  }

  /** Does them in order; answers what the last call answered. */
  async run(steps: readonly Step[], work: Work): Promise<Answer | undefined> {
    let answer: Answer | undefined;
    for (const step of steps) answer = (await this.#step(step, work)) ?? answer;
    return answer;
  }

  async #step(step: Step, work: Work): Promise<Answer | undefined> {
    const { orders, read } = work;
    if ('together' in step) return this.#together(step, work);
    if ('folded' in step) {
      for (const group of groupsOf(orders, step.of)) await this.run(step.folded, { ...work, orders: group });
      return undefined;
    }
    if ('call' in step) return this.#sidecar('POST', step.path, orders.length > 1 ? orders : orders[0], step.call);
    if ('get' in step) return void (await this.#store.get(read, orders, step.get));
    if ('save' in step) return void (await this.#store.save(read, orders, step));
    if ('load' in step) return void (await this.#store.load(read, orders, step.load));
    if ('bulk' in step) return void (await this.#store.bulk(read, orders, step.bulk));
    if ('keep' in step) return void (await this.#store.keep(orders, step.keep));
    if ('publish' in step) return void (await this.#publish(step.publish, step.type, work));
    if ('exec' in step) return void (await this.#exec(step.exec, work));
    if ('query' in step) return this.#bind(step.query, 'query', QUERY, [step.rows]);
    if ('wait' in step) return void (await this.#confirmed(orders));
    if ('confirm' in step) for (const { id } of orders) this.#final(id).resolve();
    if ('work' in step) for (const order of orders) this.#enqueue(() => this.#workOn(step.work, order), step.atOnce);
    if ('later' in step) this.#runLater(step.later, step.after, work);
    if ('provider' in step) return this.#provider(step.provider, orders);
    if ('mail' in step) return this.#mail(step.mail);
    return undefined;
  }

  #together(step: TogetherStep, work: Work): Promise<Answer | undefined> {
    const gathered =
      this.#gathered.get(step) ?? new Together<Work, Answer | undefined>((works) => this.#go(step, works), step);
    this.#gathered.set(step, gathered);
    return gathered.add(work);
  }

  async #go({ together, inTurn }: TogetherStep, works: readonly Work[]): Promise<Promise<Answer | undefined>[]> {
    const done = this.run(together, { orders: works.flatMap(({ orders }) => orders), read: new Map() });
    if (works.length > 1 || inTurn) await done;
    return works.map(() => done);
  }

  async #publish(topic: string, type: string | undefined, { orders, types }: Work): Promise<void> {
    const published = Promise.all(
      orders.map((order) => {
        const name = type ?? types?.get(order.id) ?? '';
        const size = this.#shape.events[name] ?? [0, 0];
        return this.#publisher.publish(topic, { ...order, type: name, body: filler(size, order.lines.length) });
      }),
    );
    // A command's answer does not wait for a slow broker; a delivery's does.
    await (types ? published : Promise.race([published, pause(BROKER_MS, undefined, { ref: false })]));
  }

  async #exec(binding: string, { orders }: Work): Promise<void> {
    const rows = orders.map(({ id, lines }) => ({
      id,
      version: ++this.#rows,
      body: filler(this.#shape.events.placed ?? [0, 0], lines.length),
    }));
    await this.#bind(binding, 'exec', UPSERT, [JSON.stringify(rows)]);
  }

  #bind(binding: string, operation: string, sql: string, params: readonly unknown[]): Promise<Answer> {
    const metadata = params.length > 0 ? { sql, params: JSON.stringify(params) } : { sql };
    return this.#sidecar('POST', `/v1.0/bindings/${binding}`, { operation, metadata, data: '' });
  }

  /** Makes what the views are kept in. */
  async createTable(binding: string, rows: number): Promise<void> {
    await this.#bind(binding, 'exec', TABLE, []);
    const lines = Array.from({ length: 1 }, () => 0);
    const orders = Array.from({ length: rows }, (_, n) => ({ id: String(n), lines }));
    if (rows > 0) await this.#exec(binding, { orders, read: new Map() });
  }

  async #confirmed([order]: readonly BareOrder[]): Promise<void> {
    if (!order) return;
    await this.#final(order.id).promise;
    this.#finals.delete(order.id);
  }

  /** Of who comes first: the one who waits, or the one who has the news. */
  #final(id: string): PromiseWithResolvers<void> {
    const final = this.#finals.get(id) ?? Promise.withResolvers<void>();
    this.#finals.set(id, final);
    return final;
  }

  async #workOn(steps: readonly Step[], order: BareOrder): Promise<void> {
    await this.run(steps, { orders: [order], read: new Map() });
  }

  #enqueue(job: () => Promise<void>, atOnce = WORKERS): void {
    this.#queue.push(job);
    if (this.#working < atOnce) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#working += 1;
    for (let job = this.#queue.shift(); job; job = this.#queue.shift()) await job();
    this.#working -= 1;
  }

  #runLater(steps: readonly Step[], after: number, { orders }: Work): void {
    if (this.#later.has(steps)) return;
    this.#later.add(steps);
    setTimeout(() => {
      this.#later.delete(steps);
      void this.run(steps, { orders: orders.slice(0, 1), read: new Map() });
    }, after);
  }

  /** As the card provider's own client sends it: a form. */
  async #provider(path: string, [order]: readonly BareOrder[]): Promise<Answer> {
    const form = new URLSearchParams({
      amount: '299',
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: 'true',
      'metadata[payment_id]': order?.id ?? '',
      'metadata[order_id]': JSON.stringify(order),
    });
    this.#providerKey ??= this.#sidecar('GET', '/v1.0/secrets/secretstore/provider-api-key').then(
      ({ text }) => (JSON.parse(text) as Record<string, string>)['provider-api-key'] ?? '',
    );
    const authorization = `Bearer ${await this.#providerKey}`;
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
    return this.#sidecar('POST', path, form.toString(), 'card-provider', headers);
  }

  #mail(binding: string): Promise<Answer> {
    const metadata = { emailTo: 'somebody@demo.test', subject: 'Your order' };
    return this.#sidecar('POST', `/v1.0/bindings/${binding}`, {
      ...{ operation: 'create', metadata, data: `<p>${'A mail of some length. '.repeat(60)}</p>` },
    });
  }
}

const TABLE = 'create table if not exists rows (id text primary key, version integer not null, body jsonb not null)';
const UPSERT =
  'insert into rows (id, version, body) select id, version, body from jsonb_to_recordset($1::jsonb) ' +
  'as fresh(id text, version integer, body jsonb) on conflict (id) do update set version = excluded.version, ' +
  'body = excluded.body where rows.version < excluded.version';
const QUERY =
  "select coalesce(json_agg(row_to_json(answer)), '[]'::json) from (select id, body from rows order by id limit $1) answer";
