// A service whose state is streams of events, whole and not listening: its app, what it hears, what runs beside requests.
import type Koa from 'koa';
import type { Logger } from 'pino';
import type { Sidecar } from '../dapr/sidecar.ts';
import { type Subscription, subscriber } from '../dapr/subscriber.ts';
import { type AppParts, createApp } from '../http/app.ts';
import type { Clock } from '../time.ts';
import { untilDone } from '../until-done.ts';
import { type Projection, project } from '../views/projection.ts';
import { catalogue, type Topic, type TopicName } from './catalogue.ts';
import { type ContractCheck, Contracts } from './contracts.ts';
import { Outbox } from './outbox.ts';
import { type Reactions, Reactor } from './reactor.ts';
import { Streams } from './streams.ts';
import type { Sweep } from './sweep.ts';
import type { Worker } from './worker.ts';

/** What a service is built from: what its process gives it (`Host`), and in tests another clock. */
export interface ServiceParts extends Omit<AppParts, 'routes' | 'middleware' | 'ready'> {
  readonly sidecar: Sidecar;
  readonly clock?: Clock;
  /** Read from their files unless given: tests that build many services read them once. */
  readonly contracts?: ContractCheck;
}

/** What is a service's own: what it answers, hears, shows and does unasked. */
export interface Composition {
  readonly routes: AppParts['routes'];
  /** What events mean here, by topic. */
  readonly reactions?: Partial<Record<TopicName, Reactions>>;
  /** The class of these reactions; `pubsub-saga` unless told. */
  readonly reactionsOn?: 'pubsub-saga' | 'pubsub-effects';
  /** Topics of these reactions that only undo something: their deliveries may wait for company. */
  readonly unhurried?: readonly TopicName[];
  readonly projections?: readonly Projection[];
  /** Does external effects; who wakes it is the composition's business. */
  readonly worker?: Worker;
  /** Finds work that is due. */
  readonly sweep?: Sweep;
  /** What else has to be there before it is ready, by name. */
  readonly ready?: () => Readonly<Record<string, boolean>>;
}

export interface EventSourced {
  readonly app: Koa;
  readonly streams: Streams;
  /** Creates the views' tables and takes an outbox slot, as soon as the sidecar can; commands are 503 until then. */
  begin(): Promise<void>;
  /** Ends what runs beside requests, and gives the outbox slot back. */
  stop(): Promise<void>;
}

/** Milliseconds that a delivery waits for company. A saga's hops add up, but orders that travel together cost half. */
const SAGA_AWAIT = 40;
const UNHURRIED_AWAIT = 250;

/** Where owners answer the history of a stream, to whoever has missed an event of it. */
const HISTORY = '/internal/streams/';

/** A part that no composition has: misspelt, it would be left out without a word. */
type Nothing<Name extends PropertyKey> = { readonly [_ in Name]?: never };

/**
 * Builds a service from its parts. Its documents are in `statestore-<name>`. Nothing is called before `begin`.
 * @throws {Error} a topic or a type that the catalogue does not know, or a table that two projections fill
 */
export function eventSourced<C extends Composition>(
  parts: ServiceParts,
  compose: (streams: Streams) => C & Nothing<Exclude<keyof C, keyof Composition>>,
): EventSourced {
  const { name, sidecar, log, clock, contracts = new Contracts() } = parts;
  const store = `statestore-${name}`;
  const streams = new Streams({ sidecar, store, source: name, ...(clock && { clock }) });
  const outbox = new Outbox({ sidecar, store, publisher: streams.publisher, log });
  streams.useOutbox(outbox);
  const composition: Composition = compose(streams);
  const { routes, reactions = {}, reactionsOn = 'pubsub-saga', unhurried = [] } = composition;
  const { projections = [], worker, sweep } = composition;
  const subscriptions = [
    ...Object.entries(reactions).map(([topic, byType]) =>
      subscriptionOf(topic as TopicName, byType, {
        pubsub: reactionsOn,
        hurried: reactionsOn === 'pubsub-saga' && !unhurried.includes(topic as TopicName),
        ...{ streams, log },
      }),
    ),
    ...projections.map((projection) => project(projection, log)),
  ];
  assertFilledOnce(projections);
  for (const { topic, types } of subscriptions) assertKnown(name, topic, types ?? []);
  const deliver = subscriber({ appId: name, subscriptions, contracts, sidecar, log });
  let started = false;
  let stopped = false;
  let stopSweep: (() => Promise<void>) | undefined;

  async function start(): Promise<void> {
    for (const { table } of projections.flatMap(({ tables }) => tables)) await table.create();
    await outbox.start();
    started = true;
  }

  return {
    streams,
    app: createApp({
      ...parts,
      routes,
      middleware: [history(streams), deliver],
      ready: async () => ({ sidecar: await sidecar.ready(), streams: started, ...composition.ready?.() }),
    }),
    async begin() {
      await untilDone('views and outbox', log, start, () => stopped);
      if (!stopped) stopSweep = sweep?.(log);
    },
    async stop() {
      stopped = true;
      await stopSweep?.();
      await worker?.stop();
      if (started) await outbox.stop();
    },
  };
}

/** A topic whose dead letters have no place, or a type that nobody publishes, would only show when it is too late. */
function assertKnown(appId: string, topic: TopicName, types: readonly string[]): void {
  const { heardBy, types: published }: Topic = catalogue[topic];
  if (!heardBy.includes(appId)) throw new Error(`the event catalogue does not say that ${appId} hears ${topic}`);
  const strange = types.filter((type) => !published.includes(type));
  if (strange.length > 0) throw new Error(`the event catalogue has no ${strange.join(', ')} on ${topic}`);
}

/** Streams of two topics count their versions apart: in one row the newer event of the one would be older than the other's. */
function assertFilledOnce(projections: readonly Projection[]): void {
  const names = projections.flatMap(({ tables }) => tables.map(({ table }) => table.definition.name));
  const twice = names.filter((name, n) => names.indexOf(name) !== n);
  if (twice.length > 0) throw new Error(`filled by more than one projection: ${twice.join(', ')}`);
}

function history(streams: Streams): Koa.Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'GET' || !ctx.path.startsWith(HISTORY)) return next();
    const events = await streams.cloudEvents(decodeURIComponent(ctx.path.slice(HISTORY.length)));
    ctx.status = events ? 200 : 404;
    ctx.body = { events: events ?? [] };
  };
}

interface Reacting {
  readonly pubsub: Subscription['pubsub'];
  readonly hurried: boolean;
  readonly streams: Streams;
  readonly log: Logger;
}

function subscriptionOf(
  topic: TopicName,
  reactions: Reactions,
  { pubsub, hurried, streams, log }: Reacting,
): Subscription {
  const reactor = new Reactor({ streams, reactions, log });
  return {
    pubsub,
    topic,
    types: Object.keys(reactions),
    maxMessages: 50,
    maxAwait: hurried ? SAGA_AWAIT : UNHURRIED_AWAIT,
    handle: (messages) => reactor.handle(messages),
  };
}
