// The broker, and the part of daprd that reads from it: partitioned logs that are kept, groups with offsets, bulk deliveries
// that come again until every entry is SUCCESS.
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { Weather } from './weather.ts';

/** What one process has subscribed to, as it told its sidecar. */
export interface Declared {
  readonly pubsubname: string;
  readonly topic: string;
  readonly route: string;
  readonly bulkSubscribe: { readonly maxMessagesCount: number; readonly maxAwaitDurationMs: number };
}

/** A process that can be delivered to. */
export interface Consumer {
  readonly appId: string;
  readonly dead: boolean;
  /** True while it stands still. */
  readonly still: boolean;
  /** Posts a batch; never resolves if the process dies first. */
  deliver(route: string, events: readonly string[]): Promise<readonly ('SUCCESS' | 'RETRY')[]>;
}

const PARTITIONS = 4;
/** Milliseconds until the group notices that a member is gone. */
const SESSION = 6_000;
/** The first pause before failed entries come again, and the longest (dapr/resiliency). Milliseconds. */
const [SHORTEST, LONGEST] = [100, 5_000];

interface Partition {
  readonly topic: string;
  readonly log: string[];
}

interface Parts {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly weather: Weather;
}

export class Broker {
  readonly #parts: Parts;
  readonly #topics = new Map<string, Partition[]>();
  readonly #groups = new Map<string, Group>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  append(topic: string, text: string, partitionKey: string): void {
    const partitions = this.partitions(topic);
    const partition = partitions[hash(partitionKey) % PARTITIONS] as Partition;
    partition.log.push(text);
    for (const group of this.#groups.values()) group.notice(partition);
  }

  partitions(topic: string): Partition[] {
    const known = this.#topics.get(topic) ?? Array.from({ length: PARTITIONS }, () => ({ topic, log: [] }));
    this.#topics.set(topic, known);
    return known;
  }

  /** Every log, partition by partition. */
  logs(): { readonly topic: string; readonly log: readonly string[] }[] {
    return [...this.#topics.values()].flat();
  }

  /** How many messages all logs hold. */
  get length(): number {
    return this.logs().reduce((sum, { log }) => sum + log.length, 0);
  }

  /** A process is there and has said what it hears. */
  join(consumer: Consumer, declared: readonly Declared[]): void {
    for (const [pubsub, subscriptions] of Map.groupBy(declared, ({ pubsubname }) => pubsubname)) {
      const name = `${consumer.appId} ${pubsub}`;
      const group = this.#groups.get(name) ?? new Group(this.#parts, this, subscriptions);
      this.#groups.set(name, group);
      group.join(consumer);
    }
  }

  /** A process has died or stands still: its group notices after a while. */
  miss(consumer: Consumer): void {
    this.#parts.time.schedule(SESSION, () => {
      for (const group of this.#groups.values()) group.lookAt(consumer);
    });
  }

  /** Sets every group back to the beginning of every topic (I12). */
  rewindAll(): void {
    for (const group of this.#groups.values()) group.rewind();
  }

  /** Messages that some group has not acknowledged. */
  get lag(): number {
    return [...this.#groups.values()].reduce((sum, group) => sum + group.lag, 0);
  }
}

interface Reading {
  readonly partition: Partition;
  readonly route: string;
  readonly most: number;
  /** Milliseconds that a batch may wait for company. */
  readonly patience: number;
  owner: Consumer | undefined;
  offset: number;
  stillUntil: number;
}

/** One consumer group. A member has one delivery at a time, as daprd holds one lock for a whole component. */
class Group {
  readonly #parts: Parts;
  readonly #readings: Reading[];
  readonly #members: Consumer[] = [];
  readonly #busy = new Set<Consumer>();

  constructor(parts: Parts, broker: Broker, subscriptions: readonly Declared[]) {
    this.#parts = parts;
    this.#readings = subscriptions.flatMap(({ topic, route, bulkSubscribe }) =>
      broker.partitions(topic).map((partition) => {
        const { maxMessagesCount: most, maxAwaitDurationMs: patience } = bulkSubscribe;
        return { partition, route, most, patience, owner: undefined, offset: 0, stillUntil: 0 };
      }),
    );
  }

  get lag(): number {
    return this.#readings.reduce((sum, { partition, offset }) => sum + partition.log.length - offset, 0);
  }

  join(consumer: Consumer): void {
    this.#members.push(consumer);
    this.#share();
  }

  /** A member that is dead leaves; one that stands still is left out until it is back. */
  lookAt(consumer: Consumer): void {
    const at = this.#members.indexOf(consumer);
    if (at < 0) return;
    if (consumer.dead) this.#members.splice(at, 1);
    this.#share();
    if (!consumer.dead && consumer.still) this.#parts.time.schedule(1_000, () => this.lookAt(consumer));
  }

  notice(partition: Partition): void {
    for (const reading of this.#readings) if (reading.partition === partition) this.#wake(reading.owner);
  }

  rewind(): void {
    for (const reading of this.#readings) reading.offset = 0;
    for (const member of this.#members) this.#wake(member);
  }

  #share(): void {
    const able = this.#members.filter(({ dead, still }) => !dead && !still);
    for (const [index, reading] of this.#readings.entries()) reading.owner = able[index % (able.length || 1)];
    for (const member of able) this.#wake(member);
  }

  #wake(consumer: Consumer | undefined): void {
    if (!consumer || this.#busy.has(consumer)) return;
    this.#busy.add(consumer);
    const { time, random } = this.#parts;
    const { patience } = random.pick(this.#readings);
    time.schedule(random.between(1, patience), () => void this.#read(consumer));
  }

  /** Delivers one batch of one of its partitions; then, if there is more, the next. */
  async #read(consumer: Consumer): Promise<void> {
    const { time, random, weather } = this.#parts;
    const ready = this.#readings.filter(
      ({ owner, partition, offset, stillUntil }) =>
        owner === consumer && offset < partition.log.length && stillUntil <= time.now,
    );
    if (consumer.dead || ready.length === 0) {
      this.#busy.delete(consumer);
      const waits = this.#readings.some(({ owner, stillUntil }) => owner === consumer && stillUntil > time.now);
      if (waits && !consumer.dead) time.schedule(1_000, () => this.#wake(consumer));
      return;
    }
    const reading = random.pick(ready);
    if (weather.happens('stall')) reading.stillUntil = time.now + random.between(1_000, 20_000);
    else await this.#deliver(consumer, reading);
    this.#busy.delete(consumer);
    this.#wake(consumer);
  }

  async #deliver(consumer: Consumer, reading: Reading): Promise<void> {
    const { random, weather } = this.#parts;
    const { partition } = reading;
    const there = partition.log.length - reading.offset;
    const overtakes = there > 1 && weather.happens('overtake');
    const from = reading.offset + (overtakes ? 1 + random.below(there - 1) : 0);
    const end = Math.min(partition.log.length, from + 1 + random.below(reading.most));
    await this.#untilTaken(consumer, reading, partition.log.slice(from, end));
    if (overtakes || consumer.dead || reading.owner !== consumer) return;
    reading.offset = Math.max(reading.offset, end);
    if (weather.happens('rewind')) reading.offset = Math.max(0, reading.offset - 1 - random.below(20));
  }

  /** Posts the batch, then what was not taken of it, until nothing is left or the partition has gone to somebody else. */
  async #untilTaken(consumer: Consumer, reading: Reading, events: readonly string[]): Promise<void> {
    const { time, random, weather } = this.#parts;
    let rest = events;
    for (let pause = SHORTEST; rest.length > 0; pause = Math.min(2 * pause, LONGEST)) {
      if (consumer.dead || reading.owner !== consumer) return;
      if (!weather.happens('deliveryLost')) {
        await time.pause(random.between(0.2, 3));
        const statuses = await consumer.deliver(reading.route, rest);
        if (!weather.happens('acknowledgementLost')) rest = rest.filter((_, index) => statuses[index] !== 'SUCCESS');
      }
      if (rest.length > 0) await time.pause(pause);
    }
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
