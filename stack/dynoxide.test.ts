// The tables of the documents, against a stand-in that answers as DynamoDB does; `cloud.test.ts` has the emulator.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { provisionTables } from './dynoxide.ts';

/** By table, whether its documents expire. */
const tables = new Map<string, boolean>();
/** What an operation is answered instead. */
const refusals = new Map<string, { __type: string; message: string }>();
let server: Server;
let endpoint: string;

beforeEach(async () => {
  tables.clear();
  refusals.clear();
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const answer =
      refusals.get(operation) ?? answerTo(operation, JSON.parse(Buffer.concat(chunks).toString()).TableName);
    response.writeHead('__type' in answer ? 400 : 200).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function answerTo(operation: string, table: string): object {
  const refuse = (type: string, message: string) => ({ __type: `com.amazonaws.dynamodb#${type}`, message });
  if (operation === 'CreateTable') {
    if (tables.has(table)) return refuse('ResourceInUseException', `Table already exists: ${table}`);
    tables.set(table, false);
  } else {
    if (tables.get(table)) return refuse('ValidationException', 'TimeToLive is already enabled');
    tables.set(table, true);
  }
  return {};
}

test('are made, and their documents expire, however often it is asked', async () => {
  await provisionTables(endpoint, ['order', 'payment']);
  await provisionTables(endpoint, ['order', 'payment']);
  expect([...tables]).toEqual([
    ['order', true],
    ['payment', true],
  ]);
});

test('expire also where a runner died between the two calls', async () => {
  tables.set('order', false);
  await provisionTables(endpoint, ['order']);
  expect(tables.get('order')).toBe(true);
});

test.each(['CreateTable', 'UpdateTimeToLive'])('are not taken for made when %s is refused', async (operation) => {
  refusals.set(operation, { __type: 'ValidationException', message: 'One or more parameter values were invalid' });
  await expect(provisionTables(endpoint, ['order'])).rejects.toMatchObject({
    message: expect.stringContaining('parameter values were invalid'),
    remedy: expect.any(String),
  });
});
