// Numbered messages of named streams, and an app that notes in which order and from where it hears them.
import type { Publication, Sidecar } from '#kit/dapr/sidecar';
import { cloudEvent } from '../messages.ts';
import { type Delivery, QUICK, type ScriptedApp, scriptedApp } from '../scripted-app.ts';
import { until } from '../until.ts';

/** Versions `from`, `from + 1`, ... of a stream, whose name is also their partition key. */
export function batchOf(stream: string, from: number, count: number, payload: unknown = {}): Publication[] {
  return Array.from({ length: count }, (_, n) => ({
    event: cloudEvent(stream, from + n, 'order.placed', payload),
    partitionKey: stream,
  }));
}

/** Publishes in order. What the broker does not take yet goes again: on a loaded machine it may just be late. */
export async function publishAll(sidecar: Sidecar, topic: string, publications: readonly Publication[]): Promise<void> {
  let rest = publications;
  await until(async () => {
    const failed = await sidecar.publish('pubsub-saga', topic, rest);
    rest = failed.map((index) => rest[index] as Publication);
    return rest.length === 0;
  });
}

export interface Listener extends ScriptedApp {
  /** Versions of the stream, oldest delivery first, repeats included. */
  heard(stream: string): number[];
  /** Partitions that the stream came from. */
  placesOf(stream: string): Set<string>;
  /** Offsets of each partition in the order of delivery. */
  offsets(): Map<string, number[]>;
}

/** Hears one topic on `pubsub-saga`. */
export function listener(topic: string): Listener {
  const app = scriptedApp({ 'pubsub-saga': [topic] }, 'nobody', QUICK);
  const entries = () => app.deliveries.flatMap((delivery: Delivery) => delivery.entries);
  const of = (stream: string) => entries().filter(({ event }) => (event.data as { stream: string }).stream === stream);
  return Object.assign(app, {
    heard: (stream: string) => of(stream).map(({ event }) => (event.data as { version: number }).version),
    placesOf: (stream: string) => new Set(of(stream).map(({ metadata }) => metadata.__partition as string)),
    offsets() {
      const found = new Map<string, number[]>();
      for (const { metadata } of entries()) {
        const partition = metadata.__partition as string;
        found.set(partition, [...(found.get(partition) ?? []), Number(metadata.__offset)]);
      }
      return found;
    },
  });
}
