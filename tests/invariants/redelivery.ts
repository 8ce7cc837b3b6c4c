// I12: publishes all events of the streams once more, in order, as a consumer group set back to the start would see them.

import type { StreamDocument } from '../../services/kit/events/document.ts';
import { toCloudEvent } from '../../services/kit/events/message.ts';
import type { Mesh } from '../../stack/mesh.ts';
import { canonical } from './folds.ts';
import { readStore, type StoredRow, streamsIn } from './stores.ts';
import { eventsOf, pagesIn } from './streams.ts';
import type { Violation } from './violation.ts';

/** Messages of one bulk publish. */
const BATCH = 100;

/** What a redelivery must not change: version and state of every stream, by service and key. */
export type Snapshot = ReadonlyMap<string, string>;

/** Versions and states of all streams of these services. */
export async function takeSnapshot(mesh: Mesh, appIds: readonly string[]): Promise<Snapshot> {
  const all = await Promise.all(appIds.map(async (appId) => [appId, streamsIn(await readStore(mesh, appId))] as const));
  return new Map(
    all.flatMap(([appId, streams]) =>
      [...streams].map(([key, { version, state }]) => [`${appId} ${key}`, canonical({ version, state })] as const),
    ),
  );
}

/** Publishes every event of every published stream of a service again. Answers how many. */
export async function redeliver(mesh: Mesh, appId: string): Promise<number> {
  const rows = await readStore(mesh, appId);
  const byTopic = Map.groupBy(publications(appId, rows), ({ topic }) => topic);
  let count = 0;
  for (const [topic, all] of byTopic) {
    for (let from = 0; from < all.length; from += BATCH) {
      const entries = all.slice(from, from + BATCH).map(({ event, partitionKey }, index) => ({
        entryId: String(index),
        event,
        contentType: 'application/cloudevents+json',
        metadata: { partitionKey },
      }));
      const path = `/v1.0/publish/bulk/pubsub-saga/${topic}`;
      const answer = await mesh.sidecar(appId, path, {
        method: 'POST',
        body: JSON.stringify(entries),
        headers: { 'content-type': 'application/json' },
      });
      if (!answer.ok) throw new Error(`redelivery to ${topic} failed: ${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
      count += entries.length;
    }
  }
  return count;
}

interface Publication {
  readonly topic: string;
  readonly partitionKey: string;
  readonly at: string;
  readonly event: unknown;
}

/** In the order of their recording, each stream in the order of its versions. */
function publications(appId: string, rows: readonly StoredRow[]): Publication[] {
  const pages = pagesIn(rows);
  return [...streamsIn(rows).values()]
    .flatMap((document: StreamDocument) => {
      const { topic, partitionKey } = document;
      if (topic === undefined || partitionKey === undefined) return [];
      return eventsOf(document, pages).map((event) => ({
        topic,
        partitionKey,
        at: event.at,
        event: toCloudEvent(appId, document, event),
      }));
    })
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** Streams that were there before must be as they were. */
export function compareSnapshots(before: Snapshot, after: Snapshot): Violation[] {
  return [...before].flatMap(([subject, was]) => {
    const is = after.get(subject);
    return is === was ? [] : [{ invariant: 'I12' as const, subject, what: `was ${was}, is ${is ?? 'gone'}` }];
  });
}
