// A service for the runner's own tests: keeps one document through its sidecar.
import { createServer } from 'node:http';

const {
  APP_PORT,
  DAPR_HTTP_PORT,
  DAPR_API_TOKEN = '',
  APP_API_TOKEN,
  NOTE_STORE = 'statestore-note-keeper',
} = process.env;
const state = `http://127.0.0.1:${DAPR_HTTP_PORT}/v1.0/state/${NOTE_STORE}`;
const headers = { 'dapr-api-token': DAPR_API_TOKEN, 'content-type': 'application/json' };

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/readyz') return response.end('ok');
  if (pathname.startsWith('/dapr/')) return response.writeHead(404).end();
  if (request.headers['dapr-api-token'] !== APP_API_TOKEN) return response.writeHead(401).end();
  let body = '';
  for await (const chunk of request) body += chunk;
  const answer =
    request.method === 'PUT'
      ? await fetch(state, { method: 'POST', headers, body: JSON.stringify([{ key: 'note', value: body }]) })
      : await fetch(`${state}/note`, { headers });
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
});

server.listen(Number(APP_PORT), '127.0.0.1');
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
