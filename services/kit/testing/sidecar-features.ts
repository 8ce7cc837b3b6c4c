// What the kit relies on in a sidecar, written once and run against the fake one and against a real daprd.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import type { InvokeOptions, Removal, Sidecar, Write } from '../dapr/sidecar.ts';
import { Conflict, Fault } from '../errors.ts';

let names = 0;
const key = () => `feature-${process.pid}-${++names}`;

/** Registers all tests. `sidecar` gives a client whose component `store` is a state store with transactions. */
export function sidecarFeatures(sidecar: () => Sidecar, store: string): void {
  plainFeatures(sidecar, store);
  guardFeatures(sidecar, store);
  transactionFeatures(sidecar, store);
}

/** Registers the tests of single documents without guards: a cache passes them too. */
export function plainFeatures(sidecar: () => Sidecar, store: string): void {
  test('an absent document is undefined, a saved one comes back with an ETag', async () => {
    const name = key();
    expect(await sidecar().get(store, name)).toBeUndefined();
    await sidecar().save(store, name, { a: [1, 'ä'] }, 'new');
    const stored = await sidecar().get(store, name);
    expect(stored?.value).toEqual({ a: [1, 'ä'] });
    expect(stored?.etag).toMatch(/^[^"]+$/);
  });

  test('a key may hold any characters', async () => {
    for (const characters of ['a:b', 'a b', 'a/b?c#d', 'ä%41', '../x', "'; drop table state"]) {
      const name = `${key()}${characters}`;
      await sidecar().save(store, name, { name }, 'new');
      const stored = await sidecar().get<{ name: string }>(store, name);
      expect(stored?.value).toEqual({ name });
      expect((await sidecar().getBulk(store, [name])).get(name)).toEqual(stored);
    }
  });

  test('a bulk read leaves absent documents out', async () => {
    const [one, none] = [key(), key()];
    await sidecar().save(store, one, { n: 1 }, 'any');
    const found = await sidecar().getBulk(store, [one, none]);
    expect([...found.keys()]).toEqual([one]);
    expect(found.get(one)).toEqual(await sidecar().get(store, one));
  });

  test('integers come back exactly up to 2^53 - 1, texts whatever they hold', async () => {
    const name = key();
    const value = {
      most: Number.MAX_SAFE_INTEGER,
      least: Number.MIN_SAFE_INTEGER,
      text: '9007199254740993 \u0001 "\\ 😀',
    };
    await sidecar().save(store, name, value, 'new');
    expect((await sidecar().get(store, name))?.value).toEqual(value);
    expect((await sidecar().getBulk(store, [name])).get(name)?.value).toEqual(value);
  });

  test('a document with a time to live goes, and may then be saved anew', async () => {
    const [name, other] = [key(), key()];
    await sidecar().save(store, name, 1, 'any', { ttlSeconds: 1 });
    await sidecar().save(store, other, 1, 'any');
    expect(await sidecar().get(store, name)).toBeDefined();
    const end = Date.now() + 10_000;
    while ((await sidecar().get(store, name)) && Date.now() < end) await new Promise((next) => setTimeout(next, 50));
    expect(await sidecar().get(store, name)).toBeUndefined();
    expect((await sidecar().getBulk(store, [name, other])).has(name)).toBe(false);
    await sidecar().save(store, name, 2, 'any');
    expect((await sidecar().get(store, name))?.value).toBe(2);
  });
}

/** Registers the tests of first writes and ETags. */
function guardFeatures(sidecar: () => Sidecar, store: string): void {
  test('a first write over an existing document is refused, as a conflict or as a fault', async () => {
    const name = key();
    await sidecar().save(store, name, 1, 'new');
    const refusal = await sidecar()
      .save(store, name, 2, 'new')
      .catch((error) => error);
    expect(refusal instanceof Conflict || refusal instanceof Fault).toBe(true);
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
}

/** Registers the tests of transactions. */
function transactionFeatures(sidecar: () => Sidecar, store: string): void {
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

  test('a transaction refuses to create what exists, or to change what does not', async () => {
    const [there, absent, other] = [key(), key(), key()];
    await sidecar().save(store, there, 1, 'any');
    const etag = (await sidecar().get(store, there))?.etag;
    const harmless = { key: other, value: 2, etag: undefined };
    for (const write of [
      { key: there, value: 2, etag: undefined },
      { key: absent, value: 2, etag },
    ]) {
      await expect(sidecar().transact(store, [harmless, write])).rejects.toThrow(Conflict);
      await expect(sidecar().transact(store, [write, harmless])).rejects.toThrow(Conflict);
    }
    const after = await sidecar().getBulk(store, [there, absent, other]);
    expect([...after].map(([name, { value }]) => [name, value])).toEqual([[there, 1]]);
  });

  test('a transaction drops documents with what else it writes, or not at all', async () => {
    const [old, fresh, absent] = [key(), key(), key()];
    await sidecar().save(store, old, 1, 'any');
    const both: readonly (Write | Removal)[] = [
      { key: old, remove: true },
      { key: absent, remove: true },
      { key: fresh, value: 1, etag: undefined },
    ];
    await sidecar().transact(store, both);
    expect([...(await sidecar().getBulk(store, [old, fresh, absent])).keys()]).toEqual([fresh]);
    await sidecar().save(store, old, 2, 'new');
    await expect(sidecar().transact(store, both)).rejects.toThrow(Conflict); // `fresh` is there already
    expect((await sidecar().get(store, old))?.value).toBe(2);
  });

  test.each([98, 99, 100])('a transaction of %d documents is written whole, or not at all', async (count) => {
    const names = Array.from({ length: count }, key);
    const create = names.map((name) => ({ key: name, value: 1, etag: undefined as string | undefined }));
    await sidecar().transact(store, create);
    const stored = await sidecar().getBulk(store, names);
    expect(stored.size).toBe(count);
    const change = names.map((name) => ({ key: name, value: 2, etag: stored.get(name)?.etag }));
    await sidecar().save(store, names.at(-1) as string, 3, 'any');
    await expect(sidecar().transact(store, change)).rejects.toThrow(Conflict);
    const after = await sidecar().getBulk(store, names);
    const values = names.map((name) => after.get(name)?.value);
    expect(values).toEqual([...Array(count - 1).fill(1), 3]);
  });

  test('the ETag for the next write comes from a read alone: a transaction makes the old one stale', async () => {
    const name = key();
    await sidecar().transact(store, [{ key: name, value: 1, etag: undefined }]);
    const etag = (await sidecar().get(store, name))?.etag;
    await sidecar().transact(store, [{ key: name, value: 2, etag }]);
    await expect(sidecar().transact(store, [{ key: name, value: 3, etag }])).rejects.toThrow(Conflict);
    const next = (await sidecar().get(store, name))?.etag;
    expect(next).not.toBe(etag);
    await sidecar().transact(store, [{ key: name, value: 3, etag: next }]);
    expect((await sidecar().get(store, name))?.value).toBe(3);
  });

  test('of many writers with one ETag exactly one wins', async () => {
    const name = key();
    await sidecar().save(store, name, 0, 'new');
    const etag = (await sidecar().get(store, name))?.etag ?? '';
    const tries = Array.from({ length: 12 }, (_, n) =>
      n % 2 === 0
        ? sidecar().save(store, name, n + 1, { etag })
        : sidecar().transact(store, [{ key: name, value: n + 1, etag }]),
    );
    const won = (await Promise.allSettled(tries)).flatMap(({ status }, n) => (status === 'fulfilled' ? [n + 1] : []));
    expect(won).toEqual([(await sidecar().get(store, name))?.value]);
  });

  test('more than 4 MiB in one call is a fault, and nothing is written', async () => {
    const [name, other] = [key(), key()];
    const value = 'x'.repeat(4 * 1024 * 1024);
    await expect(sidecar().save(store, name, value, 'new')).rejects.toThrow(Fault);
    const writes = [name, other].map((each) => ({
      key: each,
      value: value.slice(0, value.length / 2),
      etag: undefined,
    }));
    await expect(sidecar().transact(store, writes)).rejects.toThrow(Fault);
    expect((await sidecar().getBulk(store, [name, other])).size).toBe(0);
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
