// An app of the bare chain: the role that APP_ID names, from the table in `shape.ts`, over plain node:http.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { shape } from './shape.ts';
import { sidecarOn } from './sidecar.ts';
import type { Hears, Role } from './step.ts';
import { Steps, type Work } from './steps.ts';
import type { BareOrder } from './store.ts';

const appId = process.env.APP_ID ?? '';
const role: Role = shape.roles[appId] ?? {};
const sidecar = sidecarOn(Number(process.env.DAPR_HTTP_PORT), process.env.DAPR_API_TOKEN ?? '');
const steps = new Steps(sidecar, appId, shape);
const heard = new Map(role.hears?.map((hears) => [`/events/${hears.pubsub}/${hears.topic}`, hears]));

interface Entry {
  readonly entryId: string;
  readonly event: { readonly data: BareOrder & { readonly type: string } };
}

const subscriptions = [...heard].map(([route, { pubsub, topic, most, await: maxAwaitDurationMs }]) => ({
  ...{ pubsubname: pubsub, topic, route, deadLetterTopic: `${topic}.dead.${appId}` },
  bulkSubscribe: { enabled: true, maxMessagesCount: most, maxAwaitDurationMs },
}));

async function answer(method: string, path: string, body: string): Promise<unknown> {
  if (path === '/dapr/subscribe') return subscriptions;
  if (path === '/healthz' || path === '/readyz') return {};
  const hears = heard.get(path);
  if (hears) return deliver(hears, (JSON.parse(body) as { entries: Entry[] }).entries);
  const given: unknown = body === '' ? orderIn(path) : JSON.parse(body);
  if (path === '/seed') return seed(given as Seed);
  const orders = ([given].flat() as (BareOrder | Webhook)[]).map(orderOf);
  const route = role.routes?.[`${method} ${path}`] ?? role.routes?.[`${method} ${path.replace(/\/[^/]*$/, '')}`];
  if (!route) return undefined;
  const reply = await steps.run(route, { orders, read: new Map() });
  return reply && reply.text !== '' ? reply.text : { id: orders[0]?.id, status: 'confirmed' };
}

async function deliver({ on, only, steps: toDo }: Hears, entries: readonly Entry[]): Promise<unknown> {
  const meant = entries.map(({ event }) => event.data).filter(({ type, mail }) => type in on && (!only || mail));
  // Two messages of an order in one batch are one piece of work, as they are one transaction in ours.
  const orders = new Map(meant.map(({ id, lines, mail }) => [id, { id, lines, mail }]));
  const types = new Map(meant.map(({ id, type }) => [id, on[type] ?? '']));
  const work: Work = { orders: [...orders.values()], types, read: new Map() };
  if (orders.size > 0) await steps.run(toDo, work);
  return { statuses: entries.map(({ entryId }) => ({ entryId, status: 'SUCCESS' })) };
}

/** `GET /api/v1/orders/<id>` and `GET /api/v1/inventory/<number>`. */
function orderIn(path: string): BareOrder {
  const id = path.split('/').at(-1) ?? '';
  return { id, lines: [Number(id) || 0] };
}

interface Webhook {
  readonly data: { readonly object: { readonly metadata: { readonly order_id: string } } };
}

function orderOf(given: BareOrder | Webhook): BareOrder {
  const order = 'data' in given ? (JSON.parse(given.data.object.metadata.order_id) as BareOrder) : given;
  const { id, lines, mail } = order;
  return { id, lines, mail };
}

interface Seed {
  readonly name: 'product*' | 'item*' | 'rows';
  readonly count: number;
  readonly binding: string;
}

async function seed({ name, count, binding }: Seed): Promise<unknown> {
  if (name === 'rows') await steps.createTable(binding, count);
  else await steps.store.seed(name, count);
  return {};
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  let status = 200;
  let result: unknown;
  try {
    const path = String(request.url).split('?')[0] ?? '';
    result = await answer(String(request.method), path, Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    status = 500;
    result = { error: String(error) };
    console.error(error);
  }
  if (result === undefined) status = 404;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof result === 'string' ? result : JSON.stringify(result ?? {}));
}

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => void serve(request, response));
server.listen(Number(process.env.APP_PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
