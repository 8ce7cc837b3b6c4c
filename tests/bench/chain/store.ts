// What an app of the chain reads and writes: sized documents with ETags, and the eight lanes of an outbox.
import { filler } from './filler.ts';
import type { DocumentName, Shape } from './shape.ts';
import type { Sidecar } from './sidecar.ts';

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

/** Documents read so far, by key: one of these for each piece of work. */
export type Read = Map<string, Held>;

const LANES = 8;
const DAY = '86400';

export class Store {
  readonly #sidecar: Sidecar;
  readonly #path: string;
  readonly #shape: Shape;
  readonly #freeLanes = Array.from({ length: LANES }, (_, lane) => `lane:${lane}`);
  readonly #waiting: ((lane: string) => void)[] = [];

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
    const keys = keysOf(orders, names);
    await (keys.length === 1 ? this.get(read, orders, names) : this.bulk(read, orders, names));
  }

  async bulk(read: Read, orders: readonly BareOrder[], names: readonly DocumentName[]): Promise<void> {
    const keys = keysOf(orders, names).map(({ key }) => key);
    const { text } = await this.#sidecar('POST', `${this.#path}/bulk`, {
      ...{ keys, parallelism: 10, metadata: { consistency: 'strong' } },
    });
    for (const { key, data, etag } of JSON.parse(text) as { key: string; data?: Held; etag?: string }[]) {
      read.set(key, { etag, version: data?.version ?? 0 });
    }
  }

  async save(
    read: Read,
    orders: readonly BareOrder[],
    {
      names,
      drop = [],
      lane = false,
    }: { names: readonly DocumentName[]; drop?: readonly DocumentName[]; lane?: boolean },
  ): Promise<void> {
    const upserts = keysOf(orders, names).map(({ key, name, lines }) => {
      const held = read.get(key);
      return upsert(key, this.#value(name, (held?.version ?? 0) + 1, lines), held?.etag);
    });
    const removals = keysOf(orders, drop).map(({ key }) => ({ operation: 'delete', request: { key } }));
    const operations = [...upserts, ...removals];
    if (!lane) return this.#transact(operations);
    const free = await this.#takeLane();
    try {
      await this.#getOne(read, free);
      await this.#transact([...operations, upsert(free, laneOf(orders), read.get(free)?.etag)]);
    } finally {
      this.#giveLane(free);
    }
  }

  async keep([order]: readonly BareOrder[], name: DocumentName): Promise<void> {
    if (!order) return;
    const [one] = keysOf([order], [name]);
    const value = this.#value(name, 1, order.lines.length);
    await this.#sidecar('POST', this.#path, [{ key: one?.key, value, metadata: { ttlInSeconds: DAY } }]);
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

  async #transact(operations: readonly unknown[]): Promise<void> {
    // As portable as ours: a hundred operations at most.
    for (let from = 0; from < operations.length; from += 99) {
      await this.#sidecar('POST', `${this.#path}/transaction`, { operations: operations.slice(from, from + 99) });
    }
  }

  async #takeLane(): Promise<string> {
    return this.#freeLanes.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveLane(lane: string): void {
    const next = this.#waiting.shift();
    if (next) next(lane);
    else this.#freeLanes.push(lane);
  }
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

function upsert(key: string, value: unknown, etag: string | undefined): unknown {
  const guard = etag === undefined ? {} : { etag };
  const metadata = { contentType: 'application/json' };
  return {
    operation: 'upsert',
    request: { key, value, ...guard, options: { concurrency: 'first-write' }, metadata },
  };
}

const laneOf = (orders: readonly BareOrder[]) => ({
  version: 1,
  keys: orders.map(({ id }) => ({ key: `order:${id}`, version: 1 })),
});
