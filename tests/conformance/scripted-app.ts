// An app that answers daprd's bulk deliveries as a test tells it, to see what daprd makes of the answer.
import type { RequestListener } from 'node:http';
import { json } from 'node:stream/consumers';

/** One message of a delivery, as daprd sends it. */
export interface Entry {
  readonly entryId: string;
  readonly event: { readonly id: string; readonly data: unknown } & Readonly<Record<string, unknown>>;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Delivery {
  readonly topic: string;
  readonly pubsubname: string;
  readonly type: string;
  readonly entries: readonly Entry[];
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

export interface ScriptedApp {
  readonly handler: RequestListener;
  /** All deliveries so far, oldest first. */
  readonly deliveries: Delivery[];
  /** Decides on the answer; everything is SUCCESS unless told. */
  answer: (delivery: Delivery) => Answer;
  /** Ids of a topic's events, delivery by delivery. */
  batches(topic: string): string[][];
}

/** A batch is delivered when it is full or has waited that long. */
export const QUICK = { maxMessagesCount: 100, maxAwaitDurationMs: 20 };
const BATCH = { maxMessagesCount: 4, maxAwaitDurationMs: 1_000 };

/** Subscribes to the topics of each component, in bulk, with a dead-letter topic each. */
export function scriptedApp(
  topics: Readonly<Record<string, readonly string[]>>,
  appId: string,
  batch = BATCH,
): ScriptedApp {
  const subscriptions = Object.entries(topics).flatMap(([pubsubname, names]) =>
    names.map((topic) => ({
      pubsubname,
      topic,
      route: `/bulk/${topic}`,
      deadLetterTopic: `${topic}.dead.${appId}`,
      bulkSubscribe: { enabled: true, ...batch },
    })),
  );
  const app: ScriptedApp = {
    deliveries: [],
    answer: success,
    batches: (topic) =>
      app.deliveries
        .filter((delivery) => delivery.topic === topic)
        .map(({ entries }) => entries.map(({ event }) => event.id)),
    handler(request, response) {
      const send = ({ status, body }: Answer) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(body === undefined ? '' : JSON.stringify(body));
      };
      if (request.url === '/dapr/subscribe') return send({ status: 200, body: subscriptions });
      if (!request.url?.startsWith('/bulk/')) return send({ status: 404 });
      void json(request).then((body) => {
        const delivery = body as Delivery;
        app.deliveries.push(delivery);
        send(app.answer(delivery));
      });
    },
  };
  return app;
}

/** SUCCESS for every entry. */
export const success = (delivery: Delivery): Answer => statuses(delivery, () => 'SUCCESS');

/** One status per entry; an entry without a status is left out. */
export function statuses({ entries }: Delivery, of: (entry: Entry) => string | undefined): Answer {
  const given = entries.map((entry) => ({ entryId: entry.entryId, status: of(entry) }));
  return { status: 200, body: { statuses: given.filter(({ status }) => status !== undefined) } };
}
