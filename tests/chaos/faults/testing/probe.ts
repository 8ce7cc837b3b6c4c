// A service for the tests of the faults: says what time it has, what was delivered to it, and keeps notes in its store.
import { createServer } from 'node:http';
import { json, text } from 'node:stream/consumers';

interface Batch {
  readonly entries: readonly { readonly entryId: string; readonly event: { readonly id: string } }[];
}

const { APP_PORT, DAPR_HTTP_PORT, DAPR_API_TOKEN = '' } = process.env;
const state = `http://127.0.0.1:${DAPR_HTTP_PORT}/v1.0/state/statestore-note-keeper`;
const headers = { 'dapr-api-token': DAPR_API_TOKEN, 'content-type': 'application/json' };
const subscription = { pubsubname: 'pubsub-notes', topic: 'notes', route: '/dapr/events/pubsub-notes/notes' };
const bulkSubscribe = { enabled: true, maxMessagesCount: 50, maxAwaitDurationMs: 5 };
const delivered: string[][] = [];

const server = createServer(async (request, response) => {
  const send = (value: unknown, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/readyz') return send('ok');
  if (pathname === '/clock')
    return send({ now: Date.now(), made: Date.parse(new Date().toISOString()), fixed: new Date(0).getTime() });
  if (pathname === '/delivered') return send(delivered);
  if (pathname === '/dapr/subscribe') return send([{ ...subscription, bulkSubscribe }]);
  if (pathname === subscription.route) {
    const { entries } = (await json(request)) as Batch;
    delivered.push(entries.map(({ event }) => event.id));
    return send({ statuses: entries.map(({ entryId }) => ({ entryId, status: 'SUCCESS' })) });
  }
  if (!pathname.startsWith('/notes/')) return send('nothing here', 404);
  const key = pathname.slice('/notes/'.length);
  try {
    if (request.method !== 'PUT') return send(await (await fetch(`${state}/${key}`, { headers })).text());
    const body = JSON.stringify([{ key, value: await text(request) }]);
    return send('kept', (await fetch(state, { method: 'POST', headers, body })).status);
  } catch (error) {
    return send(String(error), 502); // the sidecar gave no answer
  }
});

server.listen(Number(APP_PORT), '127.0.0.1');
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
