// Where state stores differ, and what daprd's state API does with all of them that the kit steers clear of; asked raw.
import { expect, test } from '@jest/globals';
import type { StateTraits } from '../sets/set.ts';
import { until } from '../until.ts';
import { codeOf, firstWrite, freshKey as key, type RawState, remove, upsert } from './raw-state.ts';
import { trait } from './trait.ts';

/** Registers the tests of guards: ETags and first writes on single documents. */
export function guardTraits(state: RawState, traits: StateTraits): void {
  trait('a first write over a document of a first write', traits.firstWriteOverFirstWrite, async (status) => {
    const name = key();
    await state.save({ key: name, value: 1, options: firstWrite });
    expect((await state.save({ key: name, value: 2, options: firstWrite })).status).toBe(status);
    expect((await state.get(name)).text).toBe('1');
  });

  const overPlain = traits.firstWriteOverPlainSave;
  const refused = overPlain === 204 ? 409 : overPlain;
  trait(
    'a first write over a document of a plain save',
    overPlain,
    async (status) => {
      const name = key();
      await state.save({ key: name, value: 1 });
      expect((await state.save({ key: name, value: 2, options: firstWrite })).status).toBe(status);
      expect((await state.get(name)).text).toBe(status === 204 ? '2' : '1');
    },
    refused,
  );

  trait(
    'a plain save over a document of a first write',
    traits.plainSaveOverFirstWrite,
    async (status) => {
      const name = key();
      await state.save({ key: name, value: 1, options: firstWrite });
      expect((await state.save({ key: name, value: 2 })).status).toBe(status);
      expect((await state.get(name)).text).toBe(status === 204 ? '2' : '1');
    },
    204,
  );

  test('a stale ETag is 409 on a save, even without a concurrency option', async () => {
    const name = key();
    await state.save({ key: name, value: 1 });
    const etag = await state.etag(name);
    await state.save({ key: name, value: 2 });
    for (const options of [undefined, firstWrite]) {
      const stale = await state.save({ key: name, value: 3, etag, options });
      expect([stale.status, codeOf(stale)]).toEqual([409, 'ERR_STATE_SAVE']);
    }
    expect((await state.get(name)).text).toBe('2');
  });

  trait('an ETag that the store never gave, on a save', traits.malformedEtag, async (status) => {
    const name = key();
    await state.save({ key: name, value: 1 });
    expect((await state.save({ key: name, value: 2, etag: 'no such ETag' })).status).toBe(status);
    expect((await state.get(name)).text).toBe('1');
  });

  const wrong = async (name: string, etag: string, status: number) => {
    expect((await state.save({ key: name, value: 'stolen', etag, options: firstWrite })).status).toBe(status);
    expect((await state.get(name)).text === '"stolen"').toBe(status === 204);
  };

  trait(
    'a save with an ETag where no document is',
    traits.etagOfAbsent,
    async (status) => {
      const name = key();
      await state.save({ key: name, value: 1 });
      await wrong(key(), await state.etag(name), status);
    },
    409,
  );

  trait(
    'a save with the ETag of another document',
    traits.etagOfAnother,
    async (status) => {
      const [name, other] = [key(), key()];
      await state.save({ key: name, value: 1 }, { key: other, value: 1 });
      await wrong(name, await state.etag(other), status);
    },
    409,
  );

  trait(
    'a save with the ETag from before a delete and a new creation',
    traits.etagOfFormerLife,
    async (status) => {
      const name = key();
      await state.save({ key: name, value: 1 });
      const etag = await state.etag(name);
      await state.delete(name);
      await state.save({ key: name, value: 1 });
      await wrong(name, etag, status);
    },
    409,
  );

  test('a save of the same value is a new version', async () => {
    const name = key();
    await state.save({ key: name, value: 1 });
    const etag = await state.etag(name);
    await state.save({ key: name, value: 1 });
    expect(await state.etag(name)).not.toBe(etag);
  });

  test('a bulk save is not atomic: beside a refused document the others are written', async () => {
    const [one, stale, two] = [key(), key(), key()];
    await state.save({ key: stale, value: 1 });
    const refusal = await state.save(
      { key: one, value: 2 },
      { key: stale, value: 2, etag: '123456', options: firstWrite },
      { key: two, value: 2 },
    );
    expect(refusal.status).toBeGreaterThanOrEqual(400);
    const values = await Promise.all([one, stale, two].map(async (name) => (await state.get(name)).text));
    expect(values).toEqual(['2', '1', '2']);
  });
}

/** Registers the tests of transactions. */
export function transactionTraits(state: RawState, traits: StateTraits): void {
  const hundred = () => Array.from({ length: 100 }, key);
  const written = async (names: readonly string[]) => {
    const { text } = await state.call('POST', 'state/statestore/bulk', { keys: names });
    return (JSON.parse(text) as { data?: unknown }[]).filter(({ data }) => data === 'after').length;
  };

  for (const [place, at] of Object.entries({ first: 0, middle: 50, last: 99 })) {
    const row = `what is written of 100 operations when the ${place} is refused`;
    const check = async (rest: StateTraits['refusedTransaction']) => {
      const names = hundred();
      const bad = names[at] as string;
      await state.save({ key: bad, value: 'before' });
      const stale = await state.etag(bad);
      await state.save({ key: bad, value: 'before' });
      const operations = names.map((name) =>
        upsert({ key: name, value: 'after', ...(name === bad && { etag: stale, options: firstWrite }) }),
      );
      const answer = await state.transact(...operations);
      expect([answer.status, codeOf(answer)]).toEqual([500, 'ERR_STATE_TRANSACTION']);
      expect(await written(names)).toBe(rest === 'nothing' ? 0 : 99);
    };
    trait(row, traits.refusedTransaction, check, 'nothing');
  }

  test('a refused transaction is 500 whatever refused it: nothing tells a conflict from a fault', async () => {
    const name = key();
    await state.save({ key: name, value: 1, options: firstWrite });
    const etag = await state.etag(name);
    await state.save({ key: name, value: 2, etag, options: firstWrite });
    const stale = await state.transact(upsert({ key: name, value: 3, etag, options: firstWrite }));
    const first = await state.transact(upsert({ key: name, value: 3, options: firstWrite }));
    expect([stale.status, codeOf(stale)]).toEqual([500, 'ERR_STATE_TRANSACTION']);
    expect([first.status, codeOf(first)]).toEqual([500, 'ERR_STATE_TRANSACTION']);
    expect((await state.get(name)).text).toBe('2');
  });

  trait('a transaction of 101 operations', traits.operations101, async (status) => {
    const names = Array.from({ length: 101 }, key);
    const answer = await state.transact(...names.map((name) => upsert({ key: name, value: 'after' })));
    expect(answer.status).toBe(status);
    expect(await written(names)).toBe(status === 204 ? 101 : 0);
    if (status === 400) expect(codeOf(answer)).toBe('ERR_STATE_STORE_TOO_MANY_TRANSACTIONS');
  });

  trait(
    'a transaction that names the content type JSON, as the kit does',
    traits.jsonInTransaction,
    async (status) => {
      const name = key();
      const metadata = { contentType: 'application/json' };
      expect((await state.transact(upsert({ key: name, value: { a: 1 }, metadata }))).status).toBe(status);
      expect((await state.get(name)).text).toBe(status === 204 ? '{"a":1}' : '');
    },
    204,
  );

  test('one key twice in a transaction: the last operation wins', async () => {
    const name = key();
    const answer = await state.transact(upsert({ key: name, value: 1 }), upsert({ key: name, value: 2 }));
    expect(answer.status).toBe(204);
    expect((await state.get(name)).text).toBe('2');
  });

  trait('a stale ETag on a delete in a transaction', traits.etagOnDeleteInTransaction, async (heed) => {
    const [name, beside] = [key(), key()];
    await state.save({ key: name, value: 1 });
    const etag = await state.etag(name);
    await state.save({ key: name, value: 2 });
    const answer = await state.transact(
      upsert({ key: beside, value: 1 }),
      remove({ key: name, etag, options: firstWrite }),
    );
    expect(answer.status).toBe(heed === 'heeded' ? 500 : 204);
    expect((await state.get(name)).status).toBe(heed === 'heeded' ? 200 : 204);
  });

  trait(
    'two transactions over the same documents in opposite orders (the kit writes in the order of keys)',
    traits.oppositeOrders,
    async (what) => {
      const meet = async () => {
        const operations = hundred().map((name) => upsert({ key: name, value: 'after' }));
        const both = [operations, operations.toReversed()].map((each) => state.transact(...each));
        const refused = (await Promise.all(both)).filter(({ status }) => status !== 204);
        return refused.map(({ text }) => text);
      };
      if (what === 'one waits for the other') expect(await meet()).toEqual([]);
      else await until(async () => (await meet()).join().includes(what));
    },
  );

  test('an empty ETag in a transaction counts as none', async () => {
    const name = key();
    await state.save({ key: name, value: 1, options: firstWrite });
    const guarded = await state.transact(upsert({ key: name, value: 2, etag: '', options: firstWrite }));
    expect(guarded.status).toBe(500);
    const open = key();
    await state.save({ key: open, value: 1 });
    expect((await state.transact(upsert({ key: open, value: 2, etag: '' }))).status).toBe(204);
  });

  test('a transaction answers 204 without new ETags', async () => {
    const answer = await state.transact(upsert({ key: key(), value: 1 }));
    expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([204, '', null]);
  });
}

/** Registers the tests of what may be stored, how large, how long. */
export function valueTraits(state: RawState, traits: StateTraits): void {
  test('an absent document is 204 alone, and a bare key in a bulk read', async () => {
    const name = key();
    const single = await state.get(name);
    expect([single.status, single.text]).toEqual([204, '']);
    const bulk = await state.call('POST', 'state/statestore/bulk', { keys: [name] });
    expect([bulk.status, JSON.parse(bulk.text)]).toEqual([200, [{ key: name }]]);
  });

  const saveOf = async (kilobytes: number) => {
    const [name, value] = [key(), 'x'.repeat(kilobytes * 1_000)];
    const { status } = await state.save({ key: name, value });
    expect((await state.get(name)).text).toBe(status === 204 ? JSON.stringify(value) : '');
    return status;
  };
  test('a value of 390 KB is taken and comes back whole', async () => {
    expect(await saveOf(390)).toBe(204);
  });
  trait('a value of 780 KB', traits.value780, async (status) => {
    expect(await saveOf(780)).toBe(status);
  });
  test('more than 4 MiB is 400', async () => {
    const answer = await state.save({ key: key(), value: 'x'.repeat(4 * 1024 * 1024) });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'ERR_MALFORMED_REQUEST']);
  });

  test('an integer above 2^53 is rounded on its way', async () => {
    const name = key();
    await state.call('POST', 'state/statestore', `[{"key":"${name}","value":9007199254740993}]`);
    expect(JSON.parse((await state.get(name)).text)).toBe(2 ** 53);
  });

  trait('a first write where a time to live has just ended', traits.firstWriteOverExpired, async (status) => {
    const name = key();
    await state.save({ key: name, value: 1, metadata: { ttlInSeconds: '1' } });
    await until(async () => (await state.get(name)).status === 204);
    expect((await state.save({ key: name, value: 2, options: firstWrite })).status).toBe(status);
    expect((await state.get(name)).text).toBe(status === 204 ? '2' : '');
  });

  trait('the time to live after a save that names none', traits.timeToLiveAfterPlainSave, async (what) => {
    const [name, witness] = [key(), key()];
    const short = { ttlInSeconds: '1' };
    await state.save({ key: name, value: 1, metadata: short });
    await state.save({ key: name, value: 2 });
    await state.save({ key: witness, value: 1, metadata: short }); // ends after the other would
    await until(async () => (await state.get(witness)).status === 204);
    expect((await state.get(name)).status).toBe(what === 'gone' ? 200 : 204);
  });

  trait('capabilities', traits.capabilities, async (wanted) => {
    const { text } = await state.call('GET', 'metadata');
    const { components } = JSON.parse(text) as { components: { name: string; capabilities: string[] }[] };
    expect(components.find(({ name }) => name === 'statestore')?.capabilities?.sort()).toEqual(wanted);
  });
}
