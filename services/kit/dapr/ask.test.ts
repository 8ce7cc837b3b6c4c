import { expect, test } from '@jest/globals';
import { Fault } from '../errors.ts';
import { ask, lookUp } from './ask.ts';
import type { InvokeOptions, Reply } from './sidecar.ts';

const question = { to: 'shop', method: 'GET', path: '/internal/shops/x?secret=1', timeout: 100 } as const;
const answering = (status: number, body = '') => ({
  invoke: async (): Promise<Reply> => ({ status, headers: {}, body: Buffer.from(body) }),
});

test('an answer is read as JSON; without a body there is none', async () => {
  expect(await ask(answering(200, '{"id":"x"}'), question)).toEqual({ id: 'x' });
  expect(await ask(answering(204), question)).toBeUndefined();
});

test('what is not there is undefined only for who asks for it so', async () => {
  expect(await lookUp(answering(404, '{}'), question)).toBeUndefined();
  await expect(ask(answering(404, '{}'), question)).rejects.toThrow('shop answered 404 to GET /internal/shops/x');
});

test.each([302, 400, 500, 503])('%s is a fault, without the query in its words', async (status) => {
  const failing = lookUp(answering(status, '{}'), question);
  await expect(failing).rejects.toBeInstanceOf(Fault);
  await expect(failing).rejects.not.toThrow('secret');
});

test('what is asked on behalf of a request goes with its trace and id', async () => {
  const sent: InvokeOptions[] = [];
  const listening = {
    async invoke(_: string, __: string, ___: string, options: InvokeOptions = {}): Promise<Reply> {
      sent.push(options);
      return { status: 204, headers: {}, body: Buffer.of() };
    },
  };
  await ask(listening, { ...question, origin: { correlationId: 'r-1', traceparent: '00-a-b-01' } });
  await ask(listening, { ...question, origin: { correlationId: 'r-2', traceparent: '' } }); // of a sweep
  await ask(listening, question);
  expect(sent.map(({ headers }) => headers)).toEqual([
    { 'x-request-id': 'r-1', traceparent: '00-a-b-01' },
    { 'x-request-id': 'r-2' },
    undefined,
  ]);
});

test('an answer that broke off is a fault, to be asked for again', async () => {
  await expect(ask(answering(200, '{"id":'), question)).rejects.toBeInstanceOf(Fault);
});
