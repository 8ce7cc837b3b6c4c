// What report hears: every topic that the catalogue says, whole.
import type { Subscription } from '#kit/dapr/subscriber';
import { catalogue, type TopicName } from '#kit/events/catalogue';

/** Milliseconds that a batch may gather: every event costs the less. With the views' own, reports are a second late at most. */
const GATHER = 500;

/** One subscription for each topic, all through one component. */
export function hearing(pubsub: Subscription['pubsub'], handle: Subscription['handle']): Subscription[] {
  const topics = (Object.keys(catalogue) as TopicName[]).map((topic) => ({ topic, ...catalogue[topic] }));
  return topics
    .filter(({ heardBy }) => (heardBy as readonly string[]).includes('report'))
    .map(({ topic }) => ({ pubsub, topic, types: undefined, maxMessages: 200, maxAwait: GATHER, handle }));
}
