// What the kit relies on in a sidecar, written once and run against the fake one and against a real daprd.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import type { InvokeOptions, Sidecar } from '../dapr/sidecar.ts';
import { Conflict, Fault } from '../errors.ts';

let names = 0;

/** Registers the tests. `sidecar` gives a client whose component `store` is a state store with transactions. */
export function sidecarFeatures(sidecar: () => Sidecar, store: string): void {
  const key = () => `feature-${process.pid}-${++names}`;

  test('an absent document is undefined, a saved one comes back with an ETag', async () => {
    const name = key();
    expect(await sidecar().get(store, name)).toBeUndefined();
    await sidecar().save(store, name, { a: [1, 'ä'] }, 'new');
    const stored = await sidecar().get(store, name);
    expect(stored?.value).toEqual({ a: [1, 'ä'] });
    expect(stored?.etag).toMatch(/^[^"]+$/);
  });

  test('a first write over an existing document conflicts', async () => {
    const name = key();
    await sidecar().save(store, name, 1, 'new');
    await expect(sidecar().save(store, name, 2, 'new')).rejects.toThrow(Conflict);
    expect((await sidecar().get(store, name))?.value).toBe(1);
  });

  test('a save with a stale ETag conflicts, one with the current ETag does not', async () => {
    const name = key();
    await sidecar().save(store, name, 1, 'any');
    const etag = (await sidecar().get(store, name))?.etag ?? '';
    await sidecar().save(store, name, 2, { etag });
    await expect(sidecar().save(store, name, 3, { etag })).rejects.toThrow(Conflict);
    await expect(sidecar().save(store, key(), 3, { etag })).rejects.toThrow(Conflict);
    expect((await sidecar().get(store, name))?.value).toBe(2);
  });

  test('a delete heeds its ETag, and an absent document is fine without one', async () => {
    const name = key();
    await sidecar().save(store, name, 1, 'any');
    const etag = (await sidecar().get(store, name))?.etag ?? '';
    await sidecar().save(store, name, 2, 'any');
    await expect(sidecar().delete(store, name, etag)).rejects.toThrow(Conflict);
    await sidecar().delete(store, name);
    await sidecar().delete(store, name);
    expect(await sidecar().get(store, name)).toBeUndefined();
  });

  test('a bulk read leaves absent documents out', async () => {
    const [one, none] = [key(), key()];
    await sidecar().save(store, one, { n: 1 }, 'any');
    const found = await sidecar().getBulk(store, [one, none]);
    expect([...found.keys()]).toEqual([one]);
    expect(found.get(one)).toEqual(await sidecar().get(store, one));
  });

  test('a transaction writes all or nothing', async () => {
    const [one, two, three] = [key(), key(), key()];
    await sidecar().transact(store, [
      { key: one, value: 1, etag: undefined },
      { key: two, value: 1, etag: undefined },
    ]);
    const etag = (await sidecar().get(store, one))?.etag;
    const refused = sidecar().transact(store, [
      { key: three, value: 2, etag: undefined },
      { key: one, value: 2, etag },
      { key: two, value: 2, etag: undefined },
    ]);
    await expect(refused).rejects.toThrow(Conflict);
    const values = await Promise.all([one, two, three].map(async (name) => (await sidecar().get(store, name))?.value));
    expect(values).toEqual([1, 1, undefined]);
  });

  test('a document with a time to live goes', async () => {
    const name = key();
    await sidecar().save(store, name, 1, 'any', { ttlSeconds: 1 });
    expect(await sidecar().get(store, name)).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(await sidecar().get(store, name)).toBeUndefined();
  });
}

/** Registers the tests of invocation. The app `echo` answers 418 with `{ method, path, body, headers }` of its request. */
export function invocationFeatures(sidecar: () => Sidecar, echo: string): void {
  const sent = async (method: string, path: string, options: InvokeOptions = {}) => {
    const reply = await sidecar().invoke(echo, method, path, options);
    expect(reply.status).toBe(418);
    return JSON.parse(reply.body.toString('utf8')) as { method: string; path: string; body: string; headers: object };
  };

  test.each([
    '/plain/path',
    '/a%2Fb',
    '/a%3Fb',
    '/a%23b',
    '/a%25b',
    '/a%252Fb',
    '/a%20b+c;d',
    '/%C3%A4',
    '/shops/../streams',
    '/shops/..%2Fstreams',
    '/shops/%2e%2e/streams',
    '/./a',
    '/a%2Fb?c=%20d&e=%C3%A4&f=../g',
  ])('the path %s arrives as it was sent', async (path) => {
    const dots = path.replace('/../', '/%2e%2e/').replace('/./', '/%2e/');
    expect((await sent('GET', path)).path).toBe(dots);
  });

  test('method, body and headers arrive as they were sent', async () => {
    const headers = { 'content-type': 'text/plain', 'stripe-signature': 't=1,v1=abc' };
    expect(await sent('PUT', '/x', { raw: Buffer.from('{ "a" :1}\n'), headers })).toMatchObject({
      method: 'PUT',
      body: '{ "a" :1}\n',
      headers,
    });
  });

  test.each([0, false, '', null, { a: 1 }])('the body %j arrives as JSON', async (body) => {
    const { body: text, headers } = await sent('POST', '/x', { body });
    expect(text).toBe(JSON.stringify(body));
    expect(headers).toMatchObject({ 'content-type': 'application/json' });
  });

  test('an app that nobody knows is a fault', async () => {
    await expect(sidecar().invoke('nobody', 'GET', '/')).rejects.toThrow(Fault);
  });
}

/** The app that {@link invocationFeatures} calls. */
export async function echoApp(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url: path, headers } = request;
  const body = await text(request);
  response.writeHead(418, { 'content-type': 'application/json' }).end(JSON.stringify({ method, path, body, headers }));
}
