// Koa adaptor for Dapr's bulk subscriptions: the whole batch in, one status per message out, always 200.
// Why only SUCCESS and RETRY: tests/conformance/bulk-answers.test.ts.
import type Koa from 'koa';
import type { Logger } from 'pino';
import { causeOf, Fault, Poison } from '../errors.ts';
import { deadLetterTopic, type TopicName } from '../events/catalogue.ts';
import type { ContractCheck } from '../events/contracts.ts';
import { type Message, toMessage } from '../events/message.ts';
import type { Status } from '../events/reactor.ts';
import { newest } from '../events/upcasters.ts';
import { keyPart } from '../ids.ts';
import type { Sidecar } from './sidecar.ts';

export interface Subscription {
  /** Component that the class of subscription has for itself: one failing entry stops every topic of a component. */
  readonly pubsub: 'pubsub-saga' | 'pubsub-views' | 'pubsub-effects' | 'pubsub-relisten';
  readonly topic: TopicName;
  /** Types that are handled; others are acknowledged unread. Undefined: all. */
  readonly types: readonly string[] | undefined;
  /** One status per message, in order. */
  handle(messages: readonly Message[]): Promise<Status[]>;
  readonly maxMessages?: number;
  /** Milliseconds that daprd waits for a batch to fill; it polls that often also when idle. */
  readonly maxAwait?: number;
}

/** Where a service takes a message that it once gave up, from whoever keeps the dead letters. */
export const REDELIVERY = '/internal/redelivery';
/** Tries of a redelivered message: its reaction may count them before it gives up. */
const REDELIVERIES = 6;

/** How a redelivery ended. `later`: a fault, nothing can be said yet. */
export type Redelivered =
  | { readonly outcome: 'done' | 'later' }
  | { readonly outcome: 'refused'; readonly reason: string; readonly detail?: string | undefined };

interface BulkEntry {
  readonly entryId: string;
  readonly event: unknown;
}

/** A batch is at most this long; more is refused with 413, which daprd repeats. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Middleware for `GET /dapr/subscribe` and the routes named there. Poison (contract broken, decision failed for good)
 * is published to `<topic>.dead.<app-id>` before its message counts as SUCCESS; DROP is never answered (it crashes
 * daprd 1.18.3). @throws {Error} a topic is to be heard twice on one component: only one of the two would hear it
 */
export function subscriber(options: {
  readonly appId: string;
  readonly subscriptions: readonly Subscription[];
  readonly contracts: ContractCheck;
  readonly sidecar: Sidecar;
  readonly log: Logger;
}): Koa.Middleware {
  const { appId, subscriptions } = options;
  const routes = new Map(subscriptions.map((subscription) => [routeOf(subscription), subscription]));
  if (routes.size < subscriptions.length) throw new Error(`${appId} hears a topic twice on one component`);
  const declared = subscriptions.map((subscription) => ({
    pubsubname: subscription.pubsub,
    topic: subscription.topic,
    route: routeOf(subscription),
    deadLetterTopic: deadLetterTopic(subscription.topic, appId),
    bulkSubscribe: {
      enabled: true,
      maxMessagesCount: subscription.maxMessages ?? 50,
      maxAwaitDurationMs: subscription.maxAwait ?? 5,
    },
  }));
  return async (ctx, next) => {
    if (ctx.path === '/dapr/subscribe' && ctx.method === 'GET') {
      ctx.body = declared;
      return;
    }
    if (ctx.method === 'POST' && ctx.path === REDELIVERY) {
      const { topic, event } = (await readJson(ctx.req)) as { topic: string; event: unknown };
      const hearing = subscriptions.filter((subscription) => subscription.topic === topic);
      ctx.status = 200;
      ctx.body = await redeliver(hearing, event, options);
      return;
    }
    const subscription = ctx.method === 'POST' ? routes.get(ctx.path) : undefined;
    if (!subscription) {
      // A 404 would make daprd acknowledge and lose the batch: of a subscription that this version no longer has, say.
      if (ctx.method === 'POST' && ctx.path.startsWith('/dapr/')) throw new Fault(`nobody hears ${ctx.path}`);
      return next();
    }
    const { entries } = (await readJson(ctx.req)) as { entries: BulkEntry[] };
    const statuses = await deliver(subscription, entries, options);
    ctx.status = 200;
    ctx.body = { statuses: entries.map(({ entryId }, index) => ({ entryId, status: statuses[index] })) };
  };
}

function routeOf({ pubsub, topic }: Subscription): string {
  return `/dapr/events/${pubsub}/${topic}`;
}

/** Takes a message once more, and buries nothing: whoever sent it keeps the letter. */
async function redeliver(
  hearing: readonly Subscription[],
  event: unknown,
  options: { readonly contracts: ContractCheck; readonly log: Logger },
): Promise<Redelivered> {
  for (const subscription of hearing) {
    let status: Status = 'RETRY';
    for (let n = 0; n < REDELIVERIES && status === 'RETRY'; n += 1) {
      [status = 'RETRY'] = await judge(subscription, [{ entryId: '0', event }], options);
    }
    if (status === 'RETRY') return { outcome: 'later' };
    if (status !== 'SUCCESS') return { outcome: 'refused', reason: status.poison, detail: status.detail };
  }
  return hearing.length > 0 ? { outcome: 'done' } : { outcome: 'refused', reason: 'NOBODY_HEARS_IT' };
}

async function deliver(
  subscription: Subscription,
  entries: readonly BulkEntry[],
  options: { appId: string; contracts: ContractCheck; sidecar: Sidecar; log: Logger },
): Promise<('SUCCESS' | 'RETRY')[]> {
  const statuses = await judge(subscription, entries, options);
  return Promise.all(
    statuses.map((status, index) =>
      typeof status === 'string' ? status : bury(subscription, entries[index]?.event, status, options),
    ),
  );
}

/** What each entry is worth to the subscription, as if it had just come. */
async function judge(
  subscription: Subscription,
  entries: readonly BulkEntry[],
  options: { readonly contracts: ContractCheck; readonly log: Logger },
): Promise<Status[]> {
  const statuses: Status[] = entries.map(() => 'SUCCESS');
  const messages: Message[] = [];
  const positions: number[] = [];
  for (const [index, { event }] of entries.entries()) {
    try {
      const message = toMessage(subscription.topic, event);
      if (subscription.types && !subscription.types.includes(message.type)) continue;
      options.contracts.check(message.type, message.schemaVersion, message.data);
      messages.push(newest(message));
      positions.push(index);
    } catch (error) {
      if (!(error instanceof Poison)) throw error;
      options.log.error({ err: error, topic: subscription.topic }, 'a message breaks its contract');
      statuses[index] = { poison: error.reason, attempts: 1, detail: causeOf(error) };
    }
  }
  if (messages.length > 0) {
    const answers = await handled(subscription, messages, options.log);
    for (const [n, position] of positions.entries()) statuses[position] = answers[n] ?? 'RETRY';
  }
  return statuses;
}

async function handled(subscription: Subscription, messages: readonly Message[], log: Logger): Promise<Status[]> {
  try {
    return await subscription.handle(messages);
  } catch (error) {
    log.error({ err: error, topic: subscription.topic }, 'a batch has to come again');
    return messages.map(() => 'RETRY');
  }
}

/** Characters of a poisonous message's own words that a dead letter repeats beside it, or instead of it. */
const LONGEST_NAME = 512;
/** Characters of a message that goes whole into its dead letter: the broker takes 1 MB. */
const LARGEST_LETTER = 900_000;

/** Puts a message that can never be handled into the dead letters, with what a repairer needs to know. */
async function bury(
  { pubsub, topic }: Subscription,
  event: unknown,
  { poison, attempts, detail }: Exclude<Status, string>,
  { appId, sidecar, log }: { appId: string; sidecar: Sidecar; log: Logger },
): Promise<'SUCCESS' | 'RETRY'> {
  const data = (event as { data?: { stream?: unknown; version?: unknown } } | null)?.data;
  const stream = typeof data?.stream === 'string' ? data.stream.slice(0, LONGEST_NAME) : undefined;
  const content = JSON.stringify(event);
  // A letter that the broker does not take would come again for ever, and everything behind it.
  const body =
    content.length > LARGEST_LETTER ? { beginning: content.slice(0, LONGEST_NAME), bytes: content.length } : { event };
  const letter = {
    reason: poison,
    detail: detail?.slice(0, LONGEST_NAME),
    attempts,
    topic,
    appId,
    stream,
    version: data?.version,
    ...body,
  };
  try {
    // By the component that it came from: not every service that hears something has the saga's.
    await sidecar.publishRaw(pubsub, deadLetterTopic(topic, appId), letter, keyPart(stream ?? 'unknown'));
    return 'SUCCESS';
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    log.warn({ err: error }, 'a dead letter could not be written');
    return 'RETRY';
  }
}

async function readJson(request: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Fault('batch too large');
    chunks.push(chunk);
  }
  const [whole] = chunks.length === 1 ? chunks : [Buffer.concat(chunks)];
  return JSON.parse((whole as Buffer).toString('utf8'));
}
