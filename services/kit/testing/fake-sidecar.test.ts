import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Fault } from '../errors.ts';
import { type FakeSidecar, startFakeSidecar } from './fake-sidecar.ts';
import { sidecarFeatures } from './sidecar-features.ts';

describe('the fake sidecar', () => {
  let fake: FakeSidecar;
  beforeAll(async () => {
    fake = await startFakeSidecar({ password: 'abc' });
  });
  afterAll(() => fake.close());

  sidecarFeatures(() => fake.client, 'statestore-test');

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

  test('hands a call to the app that is registered, with its body, and faults for others', async () => {
    fake.apps.set('echo', (request, response) => {
      response.writeHead(418, { 'x-path': request.url ?? '' });
      request.pipe(response);
    });
    const reply = await fake.client.invoke('echo', 'POST', '/a?b=1', { body: { c: 1 } });
    expect([reply.status, reply.headers['x-path'], reply.body.toString()]).toEqual([418, '/a?b=1', '{"c":1}']);
    await expect(fake.client.invoke('nobody', 'GET', '/')).rejects.toThrow(Fault);
  });

  test('fails where a test wants it to', async () => {
    fake.intercept = (_, path) =>
      path.includes('/state/') ? { status: 500, body: { errorCode: 'ERR_STATE_GET' } } : 'break';
    await expect(fake.client.get('statestore-test', 'x')).rejects.toThrow(Fault);
    await expect(fake.client.secret('secretstore', 'password')).rejects.toThrow(Fault);
    fake.intercept = undefined;
  });
});
