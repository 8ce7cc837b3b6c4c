// Publishes stored events in the order of their streams: after the commit, at least once, never around a gap.
import type { Sidecar } from '../dapr/sidecar.ts';
import { Fault } from '../errors.ts';
import type { StreamDocument } from './document.ts';
import { toCloudEvent } from './message.ts';

/** Events in one call; daprd's body limit is 4 MiB and the broker takes 1 MB a message. */
const MOST_EVENTS = 100;
const MOST_BYTES = 1_000_000;
/** Streams whose published version is remembered. */
const MEMORY = 20_000;

interface Job {
  readonly document: StreamDocument;
  readonly upTo: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * One per process. Per topic one call is in flight; whatever comes meanwhile goes with the next, so that load makes
 * batches. A call carries all events of a stream above what is known to be published; when an entry fails, the rest
 * of that stream counts as failed and its callers get a {@link Fault}: they repeat from the store. A broker that takes a
 * call in part may have taken later events of that stream: the log then holds them before the one that failed, and once
 * more behind it. Whoever meets the jump reads what is missing from the owner (decision 0003).
 */
export class Publisher {
  readonly #sidecar: Sidecar;
  readonly #pubsub: string;
  readonly #source: string;
  readonly #queues = new Map<string, Job[]>();
  readonly #busy = new Set<string>();
  readonly #published = new Map<string, number>();

  constructor(options: { sidecar: Sidecar; pubsub: string; source: string }) {
    this.#sidecar = options.sidecar;
    this.#pubsub = options.pubsub;
    this.#source = options.source;
  }

  /** The highest version of the stream that the broker is known to have, as far as this process knows. */
  publishedVersion(document: StreamDocument): number {
    return Math.max(document.publishedVersion, this.#published.get(document.key) ?? 0);
  }

  /** Learns that others published (a later event names it as its cause). */
  learn(key: string, version: number): void {
    if (version <= (this.#published.get(key) ?? 0)) return;
    this.#published.delete(key); // to the end: the map is in order of last use
    this.#published.set(key, version);
    if (this.#published.size > MEMORY) {
      for (const oldest of this.#published.keys()) {
        this.#published.delete(oldest);
        break;
      }
    }
  }

  /** Resolves when every event of the stream up to `upTo` is with the broker. @throws {Fault} it is not there now. */
  publish(document: StreamDocument, upTo = document.version): Promise<void> {
    const { topic } = document;
    if (topic === undefined || this.publishedVersion(document) >= upTo) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(topic) ?? [];
      this.#queues.set(topic, queue);
      queue.push({ document, upTo, resolve, reject });
      if (!this.#busy.has(topic)) void this.#drain(topic, queue);
    });
  }

  async #drain(topic: string, queue: Job[]): Promise<void> {
    this.#busy.add(topic);
    await Promise.resolve(); // what is published in the same turn goes in the same call
    while (queue.length > 0) await this.#send(topic, queue);
    this.#busy.delete(topic);
  }

  async #send(topic: string, queue: Job[]): Promise<void> {
    const jobs: Job[] = [];
    const entries: { key: string; version: number; event: unknown; partitionKey: string }[] = [];
    const included = new Map<string, number>();
    let bytes = 0;
    while (queue.length > 0 && entries.length < MOST_EVENTS && bytes < MOST_BYTES) {
      const job = queue.shift() as Job;
      jobs.push(job);
      const { document } = job;
      const from = Math.max(this.publishedVersion(document), included.get(document.key) ?? 0);
      for (const stored of document.events) {
        if (stored.version <= from || stored.version > job.upTo) continue;
        const event = toCloudEvent(this.#source, document, stored);
        bytes += JSON.stringify(stored.data).length + 600;
        entries.push({
          key: document.key,
          version: stored.version,
          event,
          partitionKey: document.partitionKey ?? document.id,
        });
      }
      included.set(document.key, Math.max(from, job.upTo));
    }
    let failed: number[];
    let cause: unknown;
    try {
      failed = await this.#sidecar.publish(this.#pubsub, topic, entries);
    } catch (error) {
      cause = error;
      failed = entries.map((_, index) => index);
    }
    const broken = new Set(failed.map((index) => entries[index]?.key));
    for (const [index, entry] of entries.entries()) {
      // Before the first failure of a stream everything is acknowledged; after it the order would be lost.
      const firstFailure = failed.find((f) => entries[f]?.key === entry.key);
      if (firstFailure === undefined || index < firstFailure) this.learn(entry.key, entry.version);
    }
    for (const job of jobs) {
      if (broken.has(job.document.key) && this.publishedVersion(job.document) < job.upTo) {
        job.reject(new Fault(`topic ${topic} did not take ${job.document.key}`, { cause }));
      } else {
        job.resolve();
      }
    }
  }
}
