// A whole service on a fake sidecar: clients call it, daprd delivers to it, other services are played by the test.
import { createServer, type RequestListener } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import supertest from 'supertest';
import { catalogue, deadLetterTopic, type Topic, type TopicName } from '../events/catalogue.ts';
import { Contracts } from '../events/contracts.ts';
import { eventId, type StreamDocument } from '../events/document.ts';
import type { EventSourced, ServiceParts } from '../events/event-sourced.ts';
import { toMessage } from '../events/message.ts';
import { silent } from '../log.ts';
import { type FakeSidecar, startFakeSidecar } from './fake-sidecar.ts';
import { type FakeViews, fakeViews } from './fake-views.ts';
import { testIssuer } from './tokens.ts';

/** What a token says of its bearer, over the defaults of `testIssuer`. */
export interface Bearer {
  readonly sub?: string;
  readonly client_id?: string;
  readonly perm?: readonly string[];
  readonly roles?: readonly string[];
  readonly shops?: readonly string[];
}

/** A call of the service to another one. */
export interface Asked {
  readonly to: string;
  readonly path: string;
  readonly body: unknown;
}

/** What another service answers: a body with 200, nothing with 204, or a status alone. */
export type Player = (path: string, body: never) => unknown;

export interface Happened {
  readonly type: string;
  readonly version: number;
  readonly data: unknown;
  readonly partitionKey: string | undefined;
}

export interface Bench {
  readonly fake: FakeSidecar;
  readonly service: EventSourced;
  /** The database behind `views-<name>`. */
  readonly views: FakeViews;
  /** Supertest with a token of these claims; without claims, without a token. */
  as(bearer?: Bearer): ReturnType<typeof supertest.agent>;
  /** Posts events as one bulk delivery of daprd and answers their statuses. @throws {Error} one of them was buried. */
  deliver(topic: TopicName, ...events: readonly CloudEvent[]): Promise<('SUCCESS' | 'RETRY')[]>;
  /** Plays another service. */
  play(appId: string, player: Player): void;
  /** What the played services were asked, oldest first. */
  readonly asked: Asked[];
  /** What was published of a stream, each event once, in order. @throws {Poison} it breaks its contract. */
  published(stream: string): Happened[];
  /** A document of the service's store. */
  document<S>(key: string): StreamDocument<S> | undefined;
  close(): Promise<void>;
}

/** Starts a service; it is ready for everything when this resolves. */
export async function startBench(
  serviceOf: (parts: ServiceParts) => EventSourced,
  { name }: { readonly name: string },
): Promise<Bench> {
  const fake = await startFakeSidecar();
  const views = fakeViews();
  fake.bindings.set(`views-${name}`, views.binding);
  const issuer = testIssuer();
  const contracts = new Contracts();
  const service = serviceOf({ name, sidecar: fake.client, log: silent, verifier: issuer.verifier });
  await service.begin();
  const server = createServer(service.app.callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const asked: Asked[] = [];
  let deliveries = 0;

  return {
    fake,
    service,
    views,
    asked,
    as(bearer) {
      const agent = supertest.agent(server);
      if (bearer) agent.set('authorization', `Bearer ${issuer.token({ ...bearer })}`);
      return agent;
    },
    async deliver(topic, ...events) {
      const { body: declared } = await supertest(server).get('/dapr/subscribe');
      const subscription = (declared as Subscribed[]).find((each) => each.topic === topic);
      if (!subscription) throw new Error(`${name} does not hear ${topic}`);
      const { route, pubsubname } = subscription;
      const entries = events.map((each, index) => {
        return { entryId: String(index), event: each, contentType: 'application/cloudevents+json', metadata: {} };
      });
      const before = fake.published.length;
      const { status, body } = await supertest(server)
        .post(route)
        .send({ id: `delivery-${++deliveries}`, entries, metadata: {}, pubsubname, topic, type: 'bulk' });
      const letters = fake.published.slice(before).filter((each) => each.topic === deadLetterTopic(topic, name));
      if (letters.length > 0) throw new Error(letters.map(({ event }) => wordsOf(event as Letter)).join('; '));
      if (status !== 200) throw new Error(`the delivery was answered ${status}`);
      return (body.statuses as { status: 'SUCCESS' | 'RETRY' }[]).map((each) => each.status);
    },
    play: (appId, player) => fake.apps.set(appId, playing(appId, player, asked)),
    published(stream) {
      const found = new Map<number, Happened>();
      for (const { topic, event, partitionKey } of fake.published) {
        if (!(topic in catalogue)) continue;
        const message = toMessage(topic, event);
        if (message.stream !== stream || found.has(message.version)) continue;
        contracts.check(message.type, message.schemaVersion, message.data);
        found.set(message.version, { type: message.type, version: message.version, data: message.data, partitionKey });
      }
      return [...found.values()];
    },
    document: <S>(key: string) => fake.peek(`statestore-${name}`, key) as StreamDocument<S> | undefined,
    async close() {
      await service.stop();
      server.close();
      server.closeAllConnections();
      await fake.close();
    },
  };
}

export type CloudEvent = ReturnType<typeof event>;

/** An event as its owner publishes it, or once did in an earlier schema version; the versions of a stream are a second apart. */
export function event(type: string, stream: string, version: number, payload: object, schemaVersion = 1) {
  const topics: readonly Topic[] = Object.values(catalogue);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, version)).toISOString();
  return {
    specversion: '1.0',
    id: eventId(stream, version),
    type: `retail.${type}.v${schemaVersion}`,
    source: topics.find(({ types }) => types.includes(type))?.owner ?? 'nobody',
    subject: stream.slice(stream.indexOf(':') + 1),
    time: at,
    datacontenttype: 'application/json',
    traceparent,
    traceid: traceparent,
    data: {
      ...{ stream, version, at, actor: 'someone', correlationId: 'request-1', causationId: 'cause-1' },
      schemaVersion,
      payload,
    },
  };
}

/** Waits for what a worker does beside the call that woke it. @throws {Error} it does not come. */
export async function soon(holds: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`it did not happen: ${holds}`);
    await pause(2);
  }
}

interface Subscribed {
  readonly topic: string;
  readonly route: string;
  readonly pubsubname: string;
}

interface Letter {
  readonly reason: string;
  readonly detail?: string;
}

function wordsOf({ reason, detail }: Letter): string {
  return `buried: ${reason}: ${detail}`;
}

function playing(to: string, player: Player, asked: Asked[]): RequestListener {
  return async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const path = request.url ?? '';
    asked.push({ to, path, body });
    const answer = await player(path, body as never);
    if (typeof answer === 'number') response.writeHead(answer).end();
    else if (answer === undefined) response.writeHead(204).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  };
}
