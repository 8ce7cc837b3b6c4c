// What daprd's state API does that the kit steers clear of, asked raw: statuses and shapes behind Sidecar's mapping.
import { expect, test } from '@jest/globals';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

let names = 0;

/** Registers the tests against component `store` of the sidecar on that port. */
export function stateTraps(port: () => number, store: string): void {
  const key = () => `trap-${++names}`;
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${port()}/v1.0/state/${store}${path}`, {
      method,
      headers,
      ...(text !== undefined && { body: text }),
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const firstWrite = { concurrency: 'first-write' };
  const upsert = (request: object) => ({ operation: 'upsert', request });
  const code = ({ text }: Answer) => (JSON.parse(text) as { errorCode: string }).errorCode;

  test('a bulk save is not atomic: beside a refused document the others are written', async () => {
    const [one, stale, two] = [key(), key(), key()];
    await call('POST', '', [{ key: stale, value: 1 }]);
    const refused = await call('POST', '', [
      { key: one, value: 2 },
      { key: stale, value: 2, etag: '123456', options: firstWrite },
      { key: two, value: 2 },
    ]);
    expect(refused.status).toBeGreaterThanOrEqual(400);
    const values = await Promise.all([one, stale, two].map(async (name) => (await call('GET', `/${name}`)).text));
    expect(values).toEqual(['2', '1', '2']);
  });

  test('a stale ETag is 409 on a save, even without a concurrency option, and 500 in a transaction', async () => {
    const name = key();
    await call('POST', '', [{ key: name, value: 1 }]);
    const etag = (await call('GET', `/${name}`)).headers.get('etag');
    await call('POST', '', [{ key: name, value: 2 }]);
    for (const options of [undefined, firstWrite]) {
      const single = await call('POST', '', [{ key: name, value: 3, etag, options }]);
      expect([single.status, code(single)]).toEqual([409, 'ERR_STATE_SAVE']);
    }
    const operations = [upsert({ key: name, value: 3, etag, options: firstWrite })];
    const transaction = await call('POST', '/transaction', { operations });
    expect([transaction.status, code(transaction)]).toEqual([500, 'ERR_STATE_TRANSACTION']);
    expect(transaction.text).toContain('etag mismatch');
  });

  test('an empty ETag counts as none: it guards nothing unless a first write is asked for', async () => {
    const name = key();
    await call('POST', '', [{ key: name, value: 1 }]);
    const guarded = [upsert({ key: name, value: 2, etag: '', options: firstWrite })];
    expect((await call('POST', '/transaction', { operations: guarded })).status).toBe(500);
    const open = [upsert({ key: name, value: 2, etag: '' })];
    expect((await call('POST', '/transaction', { operations: open })).status).toBe(204);
  });

  test('a transaction answers 204 without new ETags', async () => {
    const answer = await call('POST', '/transaction', { operations: [upsert({ key: key(), value: 1 })] });
    expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([204, '', null]);
  });

  test('an absent document is 204 alone, and a bare key in a bulk read', async () => {
    const name = key();
    const single = await call('GET', `/${name}`);
    expect([single.status, single.text]).toEqual([204, '']);
    const bulk = await call('POST', '/bulk', { keys: [name] });
    expect([bulk.status, JSON.parse(bulk.text)]).toEqual([200, [{ key: name }]]);
  });

  test('more than 4 MiB is 400', async () => {
    const answer = await call('POST', '', [{ key: key(), value: 'x'.repeat(4 * 1024 * 1024) }]);
    expect([answer.status, code(answer)]).toEqual([400, 'ERR_MALFORMED_REQUEST']);
  });

  test('101 operations, and one key twice, are taken here: our own limit keeps us portable', async () => {
    const names = Array.from({ length: 101 }, key);
    const many = await call('POST', '/transaction', {
      operations: names.map((name) => upsert({ key: name, value: 1 })),
    });
    expect(many.status).toBe(204);
    const name = key();
    const operations = [upsert({ key: name, value: 1 }), upsert({ key: name, value: 2 })];
    expect((await call('POST', '/transaction', { operations })).status).toBe(204);
    expect((await call('GET', `/${name}`)).text).toBe('2');
  });

  test('an integer above 2^53 is rounded on its way', async () => {
    const name = key();
    await call('POST', '', `[{"key":"${name}","value":9007199254740993}]`);
    const { text } = await call('GET', `/${name}`);
    expect(JSON.parse(text)).toBe(2 ** 53);
  });
}
