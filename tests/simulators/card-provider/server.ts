// One request from arrival to answer: faults, key, idempotency, the rule, the book, the answer.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { findRoute, isSlow, type Route, refuseUnknown } from './api.ts';
import type { Book, KeptAnswer } from './book.ts';
import type { Answer, Control } from './control.ts';
import { invalid, Refusal } from './errors.ts';
import { canonical, type Params, parseForm } from './form.ts';

const BODY_LIMIT = 64 * 1024;

/** Close the connection and say nothing. */
const SILENCE = Symbol('silence');

/** The simulator's HTTP server, not yet listening. */
export function cardProvider(book: Book, control: Control, settings: { apiKey: string; webhooks: boolean }): Server {
  const running = new Set<string>();

  const post = async (call: Call, route: Route): Promise<Answer | typeof SILENCE> => {
    const kept = call.key === null ? undefined : book.kept(call.key);
    if (kept !== undefined) return orSilence(replay(call, kept));
    if (call.key !== null && running.has(call.key)) throw inUse();
    if (call.key !== null) running.add(call.key);
    try {
      const { delayMs, slowCardMs } = control.faults();
      const wait = delayMs + (isSlow(call.params) ? slowCardMs : 0);
      // Not tied to the connection: a caller that gave up is charged all the same.
      if (wait > 0) await pause(wait);
      return orSilence(carryOut(call, route));
    } finally {
      if (call.key !== null) running.delete(call.key);
    }
  };

  const carryOut = (call: Call, route: Route): Answer => {
    const world = {
      now: Math.floor(Date.now() / 1000),
      id: (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`,
    };
    const keep = (status: number, body: unknown): { kept?: KeptAnswer } =>
      call.key === null ? {} : { kept: { key: call.key, request: call.fingerprint, requestId: call.id, status, body } };
    try {
      refuseUnknown(route, call.params);
      const effect = route.run?.(world, book, call.resource, call.params);
      if (effect === undefined) throw new Error('a POST route without a rule');
      const { status, body, intent, refund } = effect;
      const events = settings.webhooks
        ? effect.events.map((event) => ({ id: world.id('evt'), created: world.now, ...event }))
        : [];
      book.append({
        at: world.now,
        ...(intent && { intent }),
        ...(refund && { refund }),
        events,
        ...keep(status, body),
      });
      return { status, body };
    } catch (error) {
      if (!(error instanceof Refusal) || !error.execution) throw error;
      const body = { error: error.body };
      book.append({ at: world.now, ...keep(error.status, body) });
      return { status: error.status, body };
    }
  };

  const orSilence = (answer: Answer): Answer | typeof SILENCE => (control.takeDrop() ? SILENCE : answer);

  const api = async (request: IncomingMessage, url: URL, id: string): Promise<Answer | typeof SILENCE> => {
    const method = request.method ?? 'GET';
    const body = await readBody(request);
    if (request.headers.authorization !== `Bearer ${settings.apiKey}`) throw unauthorised();
    const found = findRoute(method, url.pathname);
    if (found === undefined) throw unknownAddress(method, url.pathname);
    if (control.takeFailure()) throw new Refusal(500, { type: 'api_error', message: 'An unknown error occurred.' });
    const params = parseForm(method === 'POST' ? body : url.search);
    const { route, id: resource } = found;
    if (route.run) return post(callOf(request, url, id, resource, params), route);
    if (control.faults().delayMs > 0) await pause(control.faults().delayMs);
    refuseUnknown(route, params);
    return { status: 200, body: route.read?.(book, resource, params) };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const id = `req_${randomBytes(8).toString('hex')}`;
    if (url.pathname === '/healthz') return write(response, { status: 200, body: { status: 'ok' } });
    if (url.pathname.startsWith('/_control/')) {
      return write(response, control.answer(request.method ?? 'GET', url, await readBody(request)));
    }
    control.count();
    const { down } = control.faults();
    if (down === 'refuse') return void request.socket.destroy();
    if (down) return write(response, { status: 503, body: { error: { type: 'api_error', message: 'Unavailable.' } } });
    const answer = await api(request, url, id);
    if (answer === SILENCE) return void request.socket.destroy();
    const key = request.headers['idempotency-key'];
    const known = { 'request-id': id, ...(typeof key === 'string' && { 'idempotency-key': key }) };
    write(response, { ...answer, headers: { ...known, ...answer.headers } });
  };

  return createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      const { status, body } = error instanceof Refusal ? error : internal(error);
      if (!response.headersSent) write(response, { status, body: { error: body } });
    });
  });
}

type Call = { id: string; key: string | null; fingerprint: string; resource: string; params: Params };

function callOf(request: IncomingMessage, url: URL, id: string, resource: string, params: Params): Call {
  const key = request.headers['idempotency-key'];
  if (typeof key === 'string' && key.length > 255)
    throw invalid('Keys for idempotent requests must be 255 characters or less.');
  const fingerprint = `${url.pathname}\n${canonical(params)}`;
  return { id, key: typeof key === 'string' && key !== '' ? key : null, fingerprint, resource, params };
}

/** The first answer again; another request under the same key is an error. */
function replay(call: Call, kept: KeptAnswer): Answer {
  if (kept.request !== call.fingerprint) {
    throw new Refusal(400, {
      type: 'idempotency_error',
      message: 'Keys for idempotent requests can only be used with the same parameters they were first used with.',
    });
  }
  const headers = { 'idempotent-replayed': 'true', 'original-request': kept.requestId };
  return { status: kept.status, body: kept.body, headers };
}

function inUse(): Refusal {
  return new Refusal(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message: 'There is currently another in-progress request using this Idempotency-Key.',
  });
}

function unauthorised(): Refusal {
  return new Refusal(401, { type: 'invalid_request_error', message: 'Invalid API Key provided.' });
}

function unknownAddress(method: string, path: string): Refusal {
  return new Refusal(404, { type: 'invalid_request_error', message: `Unrecognized request URL (${method}: ${path}).` });
}

function internal(error: unknown): { status: number; body: unknown } {
  console.error(error);
  return { status: 500, body: { type: 'api_error', message: 'An unknown error occurred.' } };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw invalid('The request body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function write(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
