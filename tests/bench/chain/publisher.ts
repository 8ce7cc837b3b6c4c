// Publishes in bulk: one call per topic at a time, and what comes meanwhile goes with the next, as our kit does.
import { randomUUID } from 'node:crypto';
import type { Sidecar } from './sidecar.ts';

interface Job {
  readonly data: {
    readonly id: string;
    readonly type: string;
    readonly lines: readonly number[];
    readonly body: readonly object[];
  };
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const MOST = 100;

export class Publisher {
  readonly #sidecar: Sidecar;
  readonly #source: string;
  readonly #queues = new Map<string, Job[]>();
  readonly #busy = new Set<string>();

  constructor(sidecar: Sidecar, source: string) {
    this.#sidecar = sidecar;
    this.#source = source;
  }

  /** Resolves when the broker has it. */
  publish(topic: string, data: Job['data']): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(topic) ?? [];
      this.#queues.set(topic, queue);
      queue.push({ data, resolve, reject });
      if (!this.#busy.has(topic)) void this.#drain(topic, queue);
    });
  }

  async #drain(topic: string, queue: Job[]): Promise<void> {
    this.#busy.add(topic);
    await Promise.resolve();
    while (queue.length > 0) {
      const jobs = queue.splice(0, MOST);
      try {
        const entries = jobs.map(({ data }, index) => this.#entry(data, index));
        await this.#sidecar('POST', `/v1.0/publish/bulk/pubsub-saga/${topic}`, entries);
        for (const { resolve } of jobs) resolve();
      } catch (error) {
        for (const { reject } of jobs) reject(error);
      }
    }
    this.#busy.delete(topic);
  }

  #entry(data: Job['data'], index: number): unknown {
    const event = {
      ...{ specversion: '1.0', id: randomUUID(), type: `retail.${data.type}.v1`, source: this.#source },
      ...{ datacontenttype: 'application/json', subject: data.id, data },
    };
    return {
      entryId: String(index),
      event,
      contentType: 'application/cloudevents+json',
      metadata: { partitionKey: data.id },
    };
  }
}
