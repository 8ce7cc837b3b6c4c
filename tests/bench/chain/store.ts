// What an app of the chain reads and writes: sized documents with ETags, and the lanes of an outbox.
import { filler } from './filler.ts';
import { type Lane, Lanes } from './lanes.ts';
import type { Sidecar } from './sidecar.ts';
import type { DocumentName, Save, Shape } from './step.ts';

export interface BareOrder {
  readonly id: string;
  /** Numbers of items. */
  readonly lines: readonly number[];
  readonly mail?: true | undefined;
}

interface Held {
  readonly etag: string | undefined;
  readonly version: number;
}

interface Operation {
  readonly operation: string;
  readonly request: { readonly key: string; readonly [more: string]: unknown };
}

/** Documents read so far, by key: one of these for each piece of work. */
export type Read = Map<string, Held>;

/** As portable as ours: a hundred operations at most, with room for a lane. */
const MOST_DOCUMENTS = 98;
const DAY = '86400';

export class Store {
  readonly #sidecar: Sidecar;
  readonly #path: string;
  readonly #shape: Shape;
  readonly #lanes = new Lanes(async (keys) => {
    const found: Read = new Map();
    await this.#bulkOf(found, keys);
    return keys.map((key) => found.get(key)?.etag);
  });

  constructor(sidecar: Sidecar, appId: string, shape: Shape) {
    this.#sidecar = sidecar;
    this.#path = `/v1.0/state/statestore-${appId}`;
    this.#shape = shape;
  }

  async get(read: Read, orders: readonly BareOrder[], names: readonly DocumentName[]): Promise<void> {
    await Promise.all(keysOf(orders, names).map(({ key }) => this.#getOne(read, key)));
  }

  async #getOne(read: Read, key: string): Promise<void> {
    const { etag, text } = await this.#sidecar('GET', `${this.#path}/${encodeURIComponent(key)}?consistency=strong`);
    read.set(key, { etag, version: text === '' ? 0 : (JSON.parse(text) as Held).version });
  }

  async load(read: Read, orders: readonly BareOrder[], names: readonly DocumentName[]): Promise<void> {
    const missing = keysOf(orders, names)
      .map(({ key }) => key)
      .filter((key) => !read.has(key));
    if (missing.length === 1) await this.#getOne(read, missing[0] ?? '');
    else if (missing.length > 1) await this.#bulkOf(read, missing);
  }

  async bulk(read: Read, orders: readonly BareOrder[], names: readonly DocumentName[]): Promise<void> {
    const keys = keysOf(orders, names).map(({ key }) => key);
    await this.#bulkOf(read, keys);
  }

  async #bulkOf(read: Read, keys: readonly string[]): Promise<void> {
    const { text } = await this.#sidecar('POST', `${this.#path}/bulk`, {
      ...{ keys, parallelism: 10, metadata: { consistency: 'strong' } },
    });
    for (const { key, data, etag } of JSON.parse(text) as { key: string; data?: Held; etag?: string }[]) {
      read.set(key, { etag, version: data?.version ?? 0 });
    }
  }

  async save(read: Read, orders: readonly BareOrder[], step: Save): Promise<void> {
    const load = async () => step.load && (await this.load(read, orders, step.load));
    if (!step.lane) {
      await load();
      await this.#transact(this.#operations(read, orders, step));
      // Their new ETags are unknown until they are read again.
      for (const { key } of keysOf(orders, step.save)) read.delete(key);
      return;
    }
    await this.#lanes.run(async (lane) => {
      await Promise.all([load(), this.#lanes.load(lane)]);
      await this.#transact([...this.#operations(read, orders, step), upsertOf(lane, orders)]);
    });
  }

  #operations(read: Read, orders: readonly BareOrder[], { save, drop = [] }: Save): Operation[] {
    const upserts = keysOf(orders, save).map(({ key, name, lines }) => {
      const held = read.get(key);
      return upsert(key, this.#value(name, (held?.version ?? 0) + 1, lines), held?.etag);
    });
    return [...upserts, ...keysOf(orders, drop).map(({ key }) => ({ operation: 'delete', request: { key } }))];
  }

  async keep(orders: readonly BareOrder[], name: DocumentName): Promise<void> {
    const metadata = { ttlInSeconds: DAY };
    const items = keysOf(orders, [name]).map(({ key, lines }) => ({
      key,
      value: this.#value(name, 1, lines),
      metadata,
    }));
    await this.#sidecar('POST', this.#path, items);
  }

  /** Writes the documents that are there from the beginning, one of each number. */
  async seed(name: DocumentName, count: number): Promise<void> {
    for (let from = 0; from < count; from += 50) {
      const numbers = Array.from({ length: Math.min(50, count - from) }, (_, n) => from + n);
      await this.#transact(numbers.map((n) => upsert(keyOf(name, n), this.#value(name, 1, 1), undefined)));
    }
  }

  #value(name: DocumentName, version: number, lines: number): { version: number; body: readonly object[] } {
    const sizes = this.#shape.documents[name];
    const size = sizes[Math.min(version, sizes.length) - 1] ?? [0, 0];
    return { version, body: filler(size, lines) };
  }

  async #transact(all: readonly Operation[]): Promise<void> {
    // As ours: in the order of their keys, for opposite orders are a deadlock.
    const inOrder = all.toSorted((a, b) => (a.request.key < b.request.key ? -1 : 1));
    for (let from = 0; from < inOrder.length; from += MOST_DOCUMENTS + 1) {
      const operations = inOrder.slice(from, from + MOST_DOCUMENTS + 1);
      await this.#sidecar('POST', `${this.#path}/transaction`, { operations });
    }
  }
}

/** The orders in groups whose documents fit in one transaction; one that is longer has a group of its own. */
export function groupsOf(orders: readonly BareOrder[], names: readonly DocumentName[]): BareOrder[][] {
  const groups: BareOrder[][] = [];
  for (const order of orders) {
    const last = groups.at(-1);
    if (last && keysOf([...last, order], names).length <= MOST_DOCUMENTS) last.push(order);
    else groups.push([order]);
  }
  return groups;
}

const keyOf = (name: DocumentName, id: string | number) => `${name.replace('*', '')}:${id}`;

function keysOf(orders: readonly BareOrder[], names: readonly DocumentName[]) {
  const keys = new Map<string, { key: string; name: DocumentName; lines: number }>();
  for (const { id, lines } of orders) {
    for (const name of names) {
      for (const part of name.endsWith('*') ? lines : [id]) {
        const key = keyOf(name, part);
        keys.set(key, { key, name, lines: lines.length });
      }
    }
  }
  return [...keys.values()];
}

function upsert(key: string, value: unknown, etag: string | undefined): Operation {
  const guard = etag === undefined ? {} : { etag };
  const metadata = { contentType: 'application/json' };
  return {
    operation: 'upsert',
    request: { key, value, ...guard, options: { concurrency: 'first-write' }, metadata },
  };
}

function upsertOf(lane: Lane, orders: readonly BareOrder[]): Operation {
  const keys = orders.map(({ id }) => ({ key: `order:${id}`, version: 1 }));
  return upsert(lane.key, { version: 1, keys }, lane.write());
}
