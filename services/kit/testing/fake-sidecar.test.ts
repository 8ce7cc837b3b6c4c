import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fault } from '../errors.ts';
import { type FakeSidecar, startFakeSidecar } from './fake-sidecar.ts';
import { echoApp, invocationFeatures, sidecarFeatures } from './sidecar-features.ts';

describe('the fake sidecar', () => {
  let fake: FakeSidecar;
  beforeAll(async () => {
    fake = await startFakeSidecar({ password: 'abc' });
    fake.apps.set('echo', echoApp);
  });
  afterAll(() => fake.close());

  sidecarFeatures(() => fake.client, 'statestore-test');
  invocationFeatures(() => fake.client, 'echo');

  describe('refuses what not every store takes:', () => {
    const write = (key: string, value: unknown = {}) => ({ key, value, etag: undefined });
    const many = (count: number) => Array.from({ length: count }, (_, n) => write(`many-${count}-${n}`));

    test.each([
      ['101 operations', many(101)],
      ['a key twice', [write('twice'), write('twice')]],
      ['more than 400 KB', [write('large', 'x'.repeat(400 * 1024))]],
      ['a seventh decimal', [write('decimals', { rates: [0.1234567] })]],
      ['an integer from 2^53 on', [write('integer', 2 ** 53)]],
    ])('%s', async (_, writes) => {
      await expect(fake.client.transact('statestore-test', writes)).rejects.toThrow('ERR_NOT_PORTABLE');
    });

    test('and takes all the rest', async () => {
      await fake.client.transact('statestore-test', many(100));
      await fake.client.transact('statestore-test', [write('rest', { a: 0.123456, b: -1, c: 2 ** 53 - 1, d: 1.1 })]);
      expect(fake.peek('statestore-test', 'rest')).toEqual({ a: 0.123456, b: -1, c: 2 ** 53 - 1, d: 1.1 });
    });
  });

  test('gives secrets, and faults for those it has not', async () => {
    expect(await fake.client.secret('secretstore', 'password')).toBe('abc');
    await expect(fake.client.secret('secretstore', 'other')).rejects.toThrow(Fault);
  });

  test('keeps what is published, in order and with its partition key', async () => {
    const sent = [
      { event: { id: '1' }, partitionKey: 'a' },
      { event: { id: '2' }, partitionKey: 'b' },
    ];
    expect(await fake.client.publish('pubsub', 'orders', sent)).toEqual([]);
    expect(fake.published).toEqual(sent.map((each) => ({ pubsub: 'pubsub', topic: 'orders', ...each })));
  });

  test('fails where a test wants it to', async () => {
    fake.intercept = (_, path) =>
      path.includes('/state/') ? { status: 500, body: { errorCode: 'ERR_STATE_GET' } } : 'break';
    await expect(fake.client.get('statestore-test', 'x')).rejects.toThrow(Fault);
    await expect(fake.client.secret('secretstore', 'password')).rejects.toThrow(Fault);
    fake.intercept = undefined;
  });
});
