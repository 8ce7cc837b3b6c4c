// Calls between services through two real sidecars: what is passed on untouched, what daprd repeats, what becomes a Fault.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Sidecar } from '#kit/dapr/sidecar';
import { Fault } from '#kit/errors';
import { echoApp, invocationFeatures } from '#kit/testing/sidecar-features';
import { type App, type Bench, startBench } from './harness.ts';
import { freePort } from './ports.ts';
import { resiliency } from './resources.ts';
import { until } from './until.ts';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let bench: Bench;
let caller: App;
const calls: Call[] = [];
const closed: string[] = [];

beforeAll(async () => {
  bench = await startBench({ broker: false });
  const callee = bench.app({
    appId: 'callee',
    appToken: 'token-of-the-app',
    handler: async (request, response) => {
      const { method = '', url: path = '', headers } = request;
      response.once('close', () => closed.push(path));
      calls.push({ method, path, headers, body: await buffer(request) });
      if (path.startsWith('/never')) return;
      response.writeHead(Number(path.split('/')[2]) || 404, {
        'content-type': 'application/problem+json',
        'x-own': 'yes',
      });
      response.end('{"code":"ANY"}');
    },
  });
  // The time-out of this policy is for the trap below; every other call is answered at once.
  const policies = {
    timeouts: { short: '300ms' },
    retries: { matched: { policy: 'constant', duration: '10ms', maxRetries: 2, matching: { httpStatusCodes: '599' } } },
  };
  const targets = { apps: { callee: { timeout: 'short', retry: 'matched' } } };
  [caller] = await Promise.all([
    bench.app({
      appId: 'caller',
      token: 'token-of-the-sidecar',
      resources: [resiliency('short', { policies, targets })],
    }),
    callee,
    bench.app({ appId: 'echo', handler: echoApp }),
  ]);
  for (const appId of ['callee', 'echo'])
    await until(async () => Boolean(await caller.sidecar.invoke(appId, 'GET', '/')));
}, 60_000);
afterAll(() => bench.stop());

const callsTo = (path: string) => calls.filter((call) => call.path === path);

test.each([
  201, 400, 401, 404, 409, 422, 429, 500, 503,
])('%s passes untouched, once, with type and body', async (status) => {
  const reply = await caller.sidecar.invoke('callee', 'POST', `/status/${status}`, { body: {} });
  expect(reply.status).toBe(status);
  expect(reply.headers).toMatchObject({ 'content-type': 'application/problem+json', 'x-own': 'yes' });
  expect(reply.body.toString()).toBe('{"code":"ANY"}');
  expect(callsTo(`/status/${status}`)).toHaveLength(1);
});

invocationFeatures(() => caller.sidecar, 'echo');

test('every byte arrives, and the trace goes on', async () => {
  const raw = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const headers = { 'content-type': 'application/octet-stream', traceparent };
  await caller.sidecar.invoke('callee', 'PUT', '/status/200/bytes', { raw, headers });
  const [call] = callsTo('/status/200/bytes');
  expect(call?.body).toEqual(raw);
  expect(String(call?.headers.traceparent).slice(0, 35)).toBe(traceparent.slice(0, 35)); // the span is the sidecar's own
});

test('the app is sent its own token, whatever the caller sends', async () => {
  const headers = { 'dapr-api-token': 'forged' };
  await caller.sidecar.invoke('callee', 'GET', '/status/200/token', { headers });
  expect(callsTo('/status/200/token')[0]?.headers['dapr-api-token']).toBe('token-of-the-app');
});

test('a sidecar that wants a token refuses who has none: a Fault', async () => {
  const stranger = new Sidecar({ port: caller.daprPort });
  await expect(stranger.get('statestore', 'x')).rejects.toThrow(Fault);
  expect((await stranger.invoke('callee', 'GET', '/status/200/stranger')).status).toBe(401);
  expect(callsTo('/status/200/stranger')).toEqual([]);
  await stranger.close();
});

test('an app that is gone is a Fault, and answers again once it is back', async () => {
  const gone = await bench.app({ appId: 'gone', handler: (_, response) => response.end('here') });
  await until(async () => (await caller.sidecar.invoke('gone', 'GET', '/')).status === 200);
  await gone.vanish();
  await expect(caller.sidecar.invoke('gone', 'GET', '/', { timeout: 10_000 })).rejects.toThrow(Fault);
  await gone.comeBack();
  await until(async () => (await caller.sidecar.invoke('gone', 'GET', '/')).body.toString() === 'here');
}, 40_000);

test('a caller that gives up is a Fault here and a closed connection there', async () => {
  const path = '/never/time-out';
  await expect(caller.sidecar.invoke('callee', 'GET', path, { timeout: 100 })).rejects.toThrow(Fault);
  await until(() => closed.includes(path));
  const aborted = new AbortController();
  const call = caller.sidecar.invoke('callee', 'GET', '/never/abort', { signal: aborted.signal });
  await until(() => callsTo('/never/abort').length > 0);
  aborted.abort(new Error('the client went away'));
  await expect(call).rejects.toThrow('the client went away');
  await until(() => closed.includes('/never/abort'));
});

test('a time-out of daprd is repeated whatever `matching` says, and ends as a Fault', async () => {
  const path = '/never/policy';
  await expect(caller.sidecar.invoke('callee', 'POST', path, { timeout: 10_000 })).rejects.toThrow('ERR_DIRECT_INVOKE');
  expect(callsTo(path)).toHaveLength(3);
});

test('a connection that breaks in the middle is repeated too', async () => {
  let started = 0;
  const port = await freePort();
  const server = createServer((request) => {
    started += 1;
    request.socket.destroy();
  }).listen(port, '127.0.0.1');
  const endpoint = {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'HTTPEndpoint',
    metadata: { name: 'breaks' },
    spec: { baseUrl: `http://127.0.0.1:${port}` },
  };
  const policies = {
    retries: { twice: { policy: 'constant', duration: '10ms', maxRetries: 1, matching: { httpStatusCodes: '599' } } },
  };
  const once = await bench.app({
    appId: 'once',
    resources: [
      JSON.stringify(endpoint),
      resiliency('twice', { policies, targets: { apps: { breaks: { retry: 'twice' } } } }),
    ],
  });
  await expect(once.sidecar.invoke('breaks', 'POST', '/x', { body: {} })).rejects.toThrow(Fault);
  expect(started).toBeGreaterThan(1);
  server.close();
});
