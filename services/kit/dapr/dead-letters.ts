// Koa adaptor for dead-letter topics: one message at a time, as raw bytes, on a component of their own. A bulk
// subscription would fail for ever on a letter that is no JSON.
import type Koa from 'koa';
import type { Logger } from 'pino';
import { deadLetterTopic, type TopicName } from '../events/catalogue.ts';

/** One message that a service could not handle. */
export interface DeadLetter {
  /** The topic that it came from, and the app that gave it up. */
  readonly topic: TopicName;
  readonly appId: string;
  /** Why, when our kit buried it; daprd gives no reason. */
  readonly reason: string;
  readonly attempts: number;
  /** In the words of what failed. */
  readonly detail: string | undefined;
  /** Where it belongs, as far as it could be read. */
  readonly eventId: string | undefined;
  readonly stream: string | undefined;
  readonly version: number | undefined;
  /** The letter as it lies in the topic. */
  readonly body: Buffer;
}

export interface DeadLetterOptions {
  /** The dead-letter topics to read: what each app gave up of each topic. */
  readonly of: readonly { readonly topic: TopicName; readonly appId: string }[];
  /** Keeps a letter; a throw makes it come again. The same letter may come more than once. */
  readonly keep: (letter: DeadLetter) => Promise<void>;
  readonly log: Logger;
}

const PUBSUB = 'pubsub-dead';
/** What daprd buries, it buries because it is no CloudEvent. */
const NOT_A_CLOUD_EVENT = 'NOT_A_CLOUD_EVENT';

/** Middleware that adds the dead letters to the subscriptions of the one behind it. Put it before `subscriber`. */
export function deadLetters({ of, keep, log }: DeadLetterOptions): Koa.Middleware {
  const routes = new Map(of.map((from) => [`/dapr/dead/${from.topic}/${from.appId}`, from]));
  const declared = [...routes].map(([route, { topic, appId }]) => ({
    pubsubname: PUBSUB,
    topic: deadLetterTopic(topic, appId),
    route,
    metadata: { rawPayload: 'true' },
  }));
  return async (ctx, next) => {
    if (ctx.method === 'GET' && ctx.path === '/dapr/subscribe') {
      await next();
      ctx.body = [...(Array.isArray(ctx.body) ? ctx.body : []), ...declared];
      return;
    }
    const from = ctx.method === 'POST' ? routes.get(ctx.path) : undefined;
    if (!from) return next();
    ctx.status = 200;
    try {
      await keep({ ...from, ...read(await bytesOf(ctx.req)) });
      ctx.body = { status: 'SUCCESS' };
    } catch (error) {
      log.warn({ err: error, ...from }, 'a dead letter could not be kept');
      ctx.body = { status: 'RETRY' };
    }
  };
}

async function bytesOf(request: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { data_base64 } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { data_base64?: string };
  return Buffer.from(data_base64 ?? '', 'base64');
}

/** Reads a letter as `bury` of the subscriber writes it; anything else was buried by daprd. */
function read(body: Buffer): Omit<DeadLetter, 'topic' | 'appId'> {
  const letter = parse(body) as { reason?: unknown; detail?: unknown; attempts?: unknown; event?: unknown } | undefined;
  const ours = typeof letter?.reason === 'string';
  const event = (ours ? letter.event : letter) as {
    id?: unknown;
    data?: { stream?: unknown; version?: unknown };
  } | null;
  const { stream, version } = event?.data ?? {};
  return {
    reason: ours ? String(letter.reason) : NOT_A_CLOUD_EVENT,
    attempts: ours && Number.isSafeInteger(letter.attempts) ? Number(letter.attempts) : 1,
    detail: ours && typeof letter.detail === 'string' ? letter.detail : undefined,
    eventId: typeof event?.id === 'string' ? event.id : undefined,
    stream: typeof stream === 'string' ? stream : undefined,
    version: Number.isSafeInteger(version) ? Number(version) : undefined,
    body,
  };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
