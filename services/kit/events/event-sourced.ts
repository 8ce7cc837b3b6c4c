// What makes a service event-sourced: its streams, outbox, subscriptions and the history it answers to others.
import type Koa from 'koa';
import type { Logger } from 'pino';
import type { Sidecar } from '../dapr/sidecar.ts';
import { type Subscription, subscriber } from '../dapr/subscriber.ts';
import { untilDone } from '../until-done.ts';
import { type Projection, project } from '../views/projection.ts';
import type { TopicName } from './catalogue.ts';
import { Contracts } from './contracts.ts';
import { Outbox } from './outbox.ts';
import { type Reactions, Reactor } from './reactor.ts';
import { Streams } from './streams.ts';

const HISTORY = '/internal/streams/';

export interface EventSourcedOptions {
  readonly appId: string;
  readonly sidecar: Sidecar;
  readonly log: Logger;
  /** State component; `statestore-<app-id>` unless told. */
  readonly store?: string;
  /** What other services' events mean here, by topic. */
  readonly reactions?: (streams: Streams) => Partial<Record<TopicName, Reactions>>;
  /** The class of these reactions; `pubsub-saga` unless told. */
  readonly reactionsOn?: 'pubsub-saga' | 'pubsub-effects';
  readonly projections?: readonly Projection[];
  readonly clock?: () => Date;
}

export interface EventSourced {
  readonly streams: Streams;
  /** Serves `/dapr/subscribe`, deliveries and `GET /internal/streams/<key>`. */
  readonly middleware: Koa.Middleware;
  /** Creates the views' tables and takes an outbox slot, as soon as the sidecar can; commands are 503 until then. */
  start(): Promise<void>;
  /** For `/readyz`. */
  ready(): Promise<{ sidecar: boolean; streams: boolean }>;
  stop(): Promise<void>;
}

export function eventSourced(options: EventSourcedOptions): EventSourced {
  const { appId, sidecar, log, projections = [], clock } = options;
  const store = options.store ?? `statestore-${appId}`;
  const streams = new Streams({ sidecar, store, source: appId, ...(clock && { clock }) });
  const outbox = new Outbox({ sidecar, store, publisher: streams.publisher, log });
  streams.useOutbox(outbox);
  const reactions = Object.entries(options.reactions?.(streams) ?? {}) as [TopicName, Reactions][];
  const subscriptions: Subscription[] = [
    ...reactions.map(([topic, byType]) =>
      subscriptionOf(topic, byType, options.reactionsOn ?? 'pubsub-saga', streams, log),
    ),
    ...projections.map((projection) => project(projection, log)),
  ];
  let started = false;
  let stopped = false;
  const deliver = subscriber({ appId, subscriptions, contracts: new Contracts(), sidecar, log });
  return {
    streams,
    async middleware(ctx, next) {
      if (ctx.method !== 'GET' || !ctx.path.startsWith(HISTORY)) return deliver(ctx, next);
      const events = await streams.cloudEvents(decodeURIComponent(ctx.path.slice(HISTORY.length)));
      ctx.status = events ? 200 : 404;
      ctx.body = { events: events ?? [] };
    },
    async start() {
      const begin = async () => {
        for (const { table } of projections.flatMap(({ tables }) => tables)) await table.create();
        await outbox.start();
        started = true;
      };
      await untilDone('views and outbox', log, begin, () => stopped);
    },
    ready: async () => ({ sidecar: await sidecar.ready(), streams: started }),
    async stop() {
      stopped = true;
      if (started) await outbox.stop();
    },
  };
}

function subscriptionOf(
  topic: TopicName,
  reactions: Reactions,
  pubsub: Subscription['pubsub'],
  streams: Streams,
  log: Logger,
): Subscription {
  const reactor = new Reactor({ streams, reactions, log });
  return {
    pubsub,
    topic,
    types: Object.keys(reactions),
    maxMessages: 50,
    // A saga's hops add up; slow effects have time.
    maxAwait: pubsub === 'pubsub-saga' ? 10 : 100,
    handle: (messages) => reactor.handle(messages),
  };
}
