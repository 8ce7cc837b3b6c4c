// What heals a crash between save and publish when no message would be repeated: lanes, written in the transaction of
// the aggregate, that name the streams whose events may be unpublished (docs/decisions/0003-outbox-lanes.md).
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sidecar } from '../dapr/sidecar.ts';
import { Conflict, Fault, Overload } from '../errors.ts';
import { type Lane, OpenLane } from './lane.ts';
import type { Publisher } from './publisher.ts';

const SLOTS = 16;
const LANES = 8;
/** Commands that wait for a lane. */
const MOST_WAITING = 256;
/** Milliseconds between two signs of life of a slot's holder. */
const BEAT = 5_000;
/** A slot whose beat did not change for so long, by our own clock, has lost its holder. */
const DEAD_AFTER = 15_000;

interface SlotDocument {
  readonly holder: string;
  readonly epoch: number;
  readonly beat: number;
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
  readonly #waiting: { readonly resolve: (lane: OpenLane) => void; readonly reject: (fault: Fault) => void }[] = [];
  #lanes: OpenLane[] = [];
  #free: OpenLane[] = [];
  #slot: { number: number; epoch: number; beat: number } | undefined;
  #lost = false;
  #closing = new AbortController();
  #adopting = false;
  #loops: Promise<unknown> | undefined;

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
    // Apart: publishing to a broker that does not answer takes long, and meanwhile the beat must not stop.
    this.#loops ??= Promise.all([
      this.#every(1_000, () => this.#publishOlderThan(1_000)),
      this.#every(this.#beatEvery, () => this.#lookAfter()),
    ]);
  }

  /** Gives the slot back when everything in it is published; otherwise another process finds it after 15 s. */
  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#loops;
    if (!this.#slot || this.#lost) return;
    try {
      await this.#publishOlderThan(0);
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

  #take(): Promise<OpenLane> {
    if (this.#lost || !this.#slot) throw new Fault('the outbox has no slot at the moment');
    const lane = this.#withRoom();
    if (lane) return Promise.resolve(lane);
    if (this.#free.length === LANES || this.#waiting.length > MOST_WAITING) throw full();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #withRoom(): OpenLane | undefined {
    const at = this.#free.findIndex((lane) => lane.hasRoom());
    return at < 0 ? undefined : this.#free.splice(at, 1)[0];
  }

  #release(lane: OpenLane): void {
    if (!this.#lanes.includes(lane)) return; // of a slot that was lost meanwhile
    this.#free.push(lane);
    this.#serve();
  }

  /** Gives free lanes to those who wait; with every lane free and full nobody needs to wait. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const lane = this.#withRoom();
      if (lane) this.#waiting.shift()?.resolve(lane);
      else if (this.#free.length === LANES) this.#waiting.shift()?.reject(full());
      else return;
    }
  }

  async #every(milliseconds: number, task: () => Promise<void>): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      await pause(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await task();
      } catch (error) {
        this.#log.warn({ err: error }, 'the outbox could not look after its lanes');
      }
    }
  }

  async #lookAfter(): Promise<void> {
    if (this.#lost) await this.#claim();
    else await this.#beat();
    // Not waited for: what is adopted may be long in publishing, too.
    if (this.#adopting) return;
    this.#adopting = true;
    void this.#adopt()
      .catch((error) => this.#log.warn({ err: error }, 'an outbox slot could not be emptied yet'))
      .finally(() => {
        this.#adopting = false;
      });
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
    for (const { reject } of this.#waiting.splice(0)) reject(new Fault('the outbox slot was taken over'));
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
      (_, n) =>
        new OpenLane(`outbox:${number}:${n}`, epoch, this.#sidecar, this.#store, this.#publisher, (lane) =>
          this.#readAhead(lane),
        ),
    );
    for (const lane of lanes) await lane.take();
    this.#slot = { number, epoch, beat: 0 };
    this.#lanes = lanes;
    this.#free = [...lanes];
    this.#lost = false;
    this.#serve();
  }

  /** Reads a lane's ETag, and with it those of the free lanes that were written since: one call for up to eight commands. */
  async #readAhead(lane: OpenLane): Promise<void> {
    const stale = [lane, ...this.#free.filter((free) => free.stale)];
    const begun = stale.map(({ writes }) => writes);
    const found = await this.#sidecar.getBulk(
      this.#store,
      stale.map(({ key }) => key),
    );
    for (const [index, each] of stale.entries()) each.learn(found.get(each.key), begun[index] ?? 0);
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
        await lane.settle();
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

  async #publishOlderThan(age: number): Promise<void> {
    for (const lane of this.#lanes) {
      await this.#endDoubt(lane);
      await lane.publishRest(age);
    }
  }

  /** A lane that carries a transaction is left alone: that one ends the doubt about those before it. */
  async #endDoubt(lane: OpenLane): Promise<void> {
    const at = lane.doubtful ? this.#free.indexOf(lane) : -1;
    if (at < 0) return;
    this.#free.splice(at, 1);
    try {
      await lane.fence();
    } finally {
      this.#release(lane);
    }
  }
}

function full(): Fault {
  return new Overload('too many events wait for the broker', { retryAfter: 2 });
}

function slotKey(number: number): string {
  return `outbox:${number}`;
}

function free(slot: SlotDocument): SlotDocument {
  return { ...slot, holder: '', beat: 0 };
}
