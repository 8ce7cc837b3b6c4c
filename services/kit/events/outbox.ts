// What heals a crash between save and publish when no message would be repeated: lanes, written in the transaction of
// the aggregate, that name the streams whose events may be unpublished (design section 4, "Publish after commit").
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sidecar, Write } from '../dapr/sidecar.ts';
import { Conflict, Fault } from '../errors.ts';
import type { StreamDocument } from './document.ts';
import type { Publisher } from './publisher.ts';

const SLOTS = 16;
const LANES = 8;
const MOST_KEYS = 64;
/** Milliseconds between two signs of life of a slot's holder. */
const BEAT = 5_000;
/** A slot whose beat did not change for so long, by our own clock, has lost its holder. */
const DEAD_AFTER = 15_000;

interface LaneDocument {
  readonly epoch: number;
  readonly keys: readonly { readonly key: string; readonly version: number }[];
}

interface SlotDocument {
  readonly holder: string;
  readonly epoch: number;
  readonly beat: number;
}

/** One lane while it carries a transaction. */
export interface Lane {
  /** Reads the lane's ETag; has to be done before each try. @throws {Fault} the slot was taken over. */
  load(): Promise<void>;
  /** The lane's write for a transaction that saves these documents. */
  write(documents: readonly StreamDocument[]): Write;
  committed(documents: readonly StreamDocument[]): void;
}

export interface OutboxOptions {
  readonly sidecar: Sidecar;
  readonly store: string;
  readonly publisher: Publisher;
  readonly log: Logger;
  /** Milliseconds; shorter in tests. */
  readonly beat?: number;
  readonly deadAfter?: number;
}

export class Outbox {
  readonly #sidecar: Sidecar;
  readonly #store: string;
  readonly #publisher: Publisher;
  readonly #log: Logger;
  readonly #holder = randomUUID();
  readonly #beatEvery: number;
  readonly #deadAfter: number;
  readonly #seen = new Map<number, { etag: string; since: number }>();
  readonly #waiting: ((lane: OpenLane) => void)[] = [];
  #free: OpenLane[] = [];
  #slot: { number: number; epoch: number; beat: number } | undefined;
  #lost = false;
  #closing = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: OutboxOptions) {
    this.#sidecar = options.sidecar;
    this.#store = options.store;
    this.#publisher = options.publisher;
    this.#log = options.log;
    this.#beatEvery = options.beat ?? BEAT;
    this.#deadAfter = options.deadAfter ?? DEAD_AFTER;
  }

  /** Takes a free slot and starts the beat. @throws {Fault} the store is out of reach. */
  async start(): Promise<void> {
    await this.#claim();
    this.#loop ??= this.#run();
  }

  /** Gives the slot back when everything in it is published; otherwise another process finds it after 15 s. */
  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    if (!this.#slot || this.#lost) return;
    try {
      await this.#publishLate();
      if (this.#lanes.some((lane) => lane.unpublished().length > 0)) return;
      const stored = await this.#sidecar.get<SlotDocument>(this.#store, slotKey(this.#slot.number));
      if (stored?.value.holder !== this.#holder) return;
      await this.#sidecar.save(this.#store, slotKey(this.#slot.number), free(stored.value), { etag: stored.etag });
    } catch (error) {
      this.#log.info({ err: error }, 'the outbox slot was left to be taken over');
    }
  }

  /** Runs one transaction's tries in a lane of their own. At most eight at once in a process; others wait. */
  async withLane<T>(run: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = await this.#take();
    try {
      return await run(lane);
    } finally {
      this.#release(lane);
    }
  }

  #lanes: OpenLane[] = [];

  #take(): Promise<OpenLane> {
    if (this.#lost || !this.#slot) throw new Fault('the outbox has no slot at the moment');
    const at = this.#free.findIndex((lane) => lane.hasRoom());
    if (at >= 0) return Promise.resolve(this.#free.splice(at, 1)[0] as OpenLane);
    if (this.#free.length > 0 || this.#waiting.length > 256) {
      throw new Fault('too many events wait for the broker', { retryAfter: 2 });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(lane: OpenLane): void {
    if (!this.#lanes.includes(lane)) return; // of a slot that was lost meanwhile
    const next = this.#waiting.shift();
    if (next) next(lane);
    else this.#free.push(lane);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let sinceBeat = 0;
    while (!signal.aborted) {
      await pause(1_000, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#publishLate();
        sinceBeat += 1_000;
        if (sinceBeat < this.#beatEvery) continue;
        sinceBeat = 0;
        if (this.#lost) await this.#claim();
        else await this.#beat();
        await this.#adopt();
      } catch (error) {
        this.#log.warn({ err: error }, 'the outbox could not look after its lanes');
      }
    }
  }

  async #beat(): Promise<void> {
    const slot = this.#slot;
    if (!slot) return;
    const stored = await this.#sidecar.get<SlotDocument>(this.#store, slotKey(slot.number));
    if (stored?.value.holder !== this.#holder || stored.value.epoch !== slot.epoch) {
      this.#lose();
      return;
    }
    slot.beat += 1;
    try {
      await this.#sidecar.save(this.#store, slotKey(slot.number), { ...stored.value, beat: slot.beat }, stored);
    } catch (error) {
      if (error instanceof Conflict) this.#lose();
      else throw error;
    }
  }

  #lose(): void {
    this.#log.warn({ slot: this.#slot?.number }, 'the outbox slot was taken over: this process was away too long');
    this.#lost = true;
    this.#lanes = [];
    this.#free = [];
  }

  /** Takes the first slot that nobody holds. With all 16 held by the living, it tries again at the next beat. */
  async #claim(): Promise<void> {
    const keys = Array.from({ length: SLOTS }, (_, n) => slotKey(n));
    const slots = await this.#sidecar.getBulk<SlotDocument>(this.#store, keys);
    for (let number = 0; number < SLOTS; number += 1) {
      const stored = slots.get(slotKey(number));
      if (stored && stored.value.holder !== '') continue;
      const epoch = (stored?.value.epoch ?? 0) + 1;
      try {
        const guard = stored ? { etag: stored.etag } : 'new';
        await this.#sidecar.save(this.#store, slotKey(number), { holder: this.#holder, epoch, beat: 0 }, guard);
        await this.#open(number, epoch);
        return;
      } catch (error) {
        if (!(error instanceof Conflict || error instanceof Fault)) throw error;
        this.#log.info({ slot: number, err: error }, 'an outbox slot went to another process');
      }
    }
    if (!this.#slot) throw new Fault('every outbox slot is held: more than 16 replicas?');
  }

  /** Raises the lanes' epoch (a paused predecessor's transaction then fails), publishes what they name, empties them. */
  async #open(number: number, epoch: number): Promise<void> {
    const lanes = Array.from(
      { length: LANES },
      (_, n) => new OpenLane(`outbox:${number}:${n}`, epoch, this.#sidecar, this.#store, this.#publisher),
    );
    for (const lane of lanes) await lane.take();
    this.#slot = { number, epoch, beat: 0 };
    this.#lanes = lanes;
    this.#free = [...lanes];
    this.#lost = false;
    for (const waiting of this.#waiting.splice(0, LANES)) waiting(this.#free.shift() as OpenLane);
  }

  /** Looks for slots whose holder has died, publishes what their lanes name and marks them free. */
  async #adopt(): Promise<void> {
    const keys = Array.from({ length: SLOTS }, (_, n) => slotKey(n));
    const slots = await this.#sidecar.getBulk<SlotDocument>(this.#store, keys);
    const now = performance.now();
    for (let number = 0; number < SLOTS; number += 1) {
      const stored = slots.get(slotKey(number));
      if (!stored || stored.value.holder === '' || number === this.#slot?.number) continue;
      // A slot that we hold beside our own is one whose adoption a fault interrupted.
      if (stored.value.holder !== this.#holder && !this.#isDead(number, stored.etag, now)) continue;
      const epoch = stored.value.epoch + 1;
      try {
        const mine = { holder: this.#holder, epoch, beat: 0 };
        await this.#sidecar.save(this.#store, slotKey(number), mine, { etag: stored.etag });
      } catch (error) {
        if (error instanceof Conflict) continue;
        throw error;
      }
      this.#log.info({ slot: number }, 'took over the outbox slot of a process that is gone');
      for (let n = 0; n < LANES; n += 1) {
        const lane = new OpenLane(`outbox:${number}:${n}`, epoch, this.#sidecar, this.#store, this.#publisher);
        await lane.take();
        await lane.publishRest();
        await lane.clear();
      }
      const held = await this.#sidecar.get<SlotDocument>(this.#store, slotKey(number));
      if (held?.value.holder === this.#holder) {
        await this.#sidecar.save(this.#store, slotKey(number), free(held.value), { etag: held.etag });
      }
    }
  }

  #isDead(number: number, etag: string, now: number): boolean {
    const seen = this.#seen.get(number);
    if (seen?.etag === etag) return now - seen.since >= this.#deadAfter;
    this.#seen.set(number, { etag, since: now });
    return false;
  }

  async #publishLate(): Promise<void> {
    for (const lane of this.#lanes) await lane.publishRest(1_000);
  }
}

class OpenLane implements Lane {
  readonly key: string;
  readonly #epoch: number;
  readonly #sidecar: Sidecar;
  readonly #store: string;
  readonly #publisher: Publisher;
  #etag: string | undefined;
  #keys = new Map<string, { version: number; since: number }>();

  constructor(key: string, epoch: number, sidecar: Sidecar, store: string, publisher: Publisher) {
    this.key = key;
    this.#epoch = epoch;
    this.#sidecar = sidecar;
    this.#store = store;
    this.#publisher = publisher;
  }

  hasRoom(): boolean {
    return this.unpublished().length < MOST_KEYS - 8;
  }

  unpublished(): string[] {
    for (const [key, { version }] of this.#keys) {
      if (this.#publisher.publishedVersion({ key, publishedVersion: 0 } as StreamDocument) >= version) {
        this.#keys.delete(key);
      }
    }
    return [...this.#keys.keys()];
  }

  /** Makes the lane ours by its epoch and learns what it names. */
  async take(): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const stored = await this.#sidecar.get<LaneDocument>(this.#store, this.key);
      if (stored && stored.value.epoch > this.#epoch) throw new Fault(`${this.key} belongs to a later holder`);
      const keys = stored?.value.keys ?? [];
      this.#keys = new Map(keys.map(({ key, version }) => [key, { version, since: 0 }]));
      try {
        const guard = stored ? { etag: stored.etag } : 'new';
        await this.#sidecar.save(this.#store, this.key, { epoch: this.#epoch, keys }, guard);
        return;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    }
    throw new Fault(`${this.key} could not be taken`);
  }

  async load(): Promise<void> {
    const stored = await this.#sidecar.get<LaneDocument>(this.#store, this.key);
    if (stored?.value.epoch !== this.#epoch) throw new Fault(`${this.key} was taken over`);
    this.#etag = stored.etag;
  }

  write(documents: readonly StreamDocument[]): Write {
    if (this.#etag === undefined) throw new Error('a lane must be read before it is written');
    const rest = this.unpublished().map((key) => ({ key, version: this.#keys.get(key)?.version ?? 0 }));
    const added = documents.map(({ key, version }) => ({ key, version }));
    const names = new Set(added.map(({ key }) => key));
    const keys = [...rest.filter(({ key }) => !names.has(key)), ...added];
    return { key: this.key, value: { epoch: this.#epoch, keys } satisfies LaneDocument, etag: this.#etag };
  }

  committed(documents: readonly StreamDocument[]): void {
    const since = performance.now();
    for (const { key, version } of documents) this.#keys.set(key, { version, since });
  }

  /** Publishes, from the store, what has been waiting for longer than `age` milliseconds. Stops at the first fault. */
  async publishRest(age = 0): Promise<void> {
    for (const key of this.unpublished()) {
      const waiting = this.#keys.get(key);
      if (!waiting || performance.now() - waiting.since < age) continue;
      const stored = await this.#sidecar.get<StreamDocument>(this.#store, key);
      if (stored) await this.#publisher.publish(stored.value);
      // A stream that was never written (its transaction failed) has nothing to publish.
      if (!stored || this.#publisher.publishedVersion(stored.value) >= stored.value.version) this.#keys.delete(key);
    }
  }

  async clear(): Promise<void> {
    const stored = await this.#sidecar.get<LaneDocument>(this.#store, this.key);
    if (stored?.value.epoch !== this.#epoch || this.unpublished().length > 0) return;
    await this.#sidecar.save(this.#store, this.key, { epoch: this.#epoch, keys: [] }, { etag: stored.etag });
  }
}

function slotKey(number: number): string {
  return `outbox:${number}`;
}

function free(slot: SlotDocument): SlotDocument {
  return { ...slot, holder: '', beat: 0 };
}
