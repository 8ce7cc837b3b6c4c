// A DynamoDB emulator for documents: dynoxide, with its data in one file, and the tables made by name.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './errors.ts';
import { accepts } from './probe.ts';
import type { ProcessSpec } from './supervised.ts';

/** What the AWS client inside daprd looks for in its environment. The emulator checks no signature. */
export const emulatorCredentials = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };

/** The emulator as a process. Without `dataDir` it keeps everything in memory. */
export function dynoxideProcess(options: {
  /** `findTool('dynoxide')`. */
  program: string;
  dataDir?: string;
  port: number;
  logFile: string;
  env: Record<string, string>;
}): ProcessSpec {
  const { program, dataDir, port, logFile, env } = options;
  const file = dataDir === undefined ? [] : ['--db-path', join(dataDir, 'dynamodb', 'documents.db')];
  if (dataDir !== undefined) mkdirSync(join(dataDir, 'dynamodb'), { recursive: true });
  return {
    name: 'dynamodb',
    file: program,
    args: ['serve', '--host', '127.0.0.1', '--port', String(port), ...file],
    env,
    logFile,
    stopSignal: 'SIGTERM',
    stopWithinMs: 5_000,
    isReady: () => accepts(port),
  };
}

/**
 * Makes the tables that are missing, as Dapr's component wants them: one document per `key`, gone after `expiresAt`.
 * Expiry is a call of its own, so it is asked for each time: who made the table may have died before it.
 * @throws StackError when the service refuses.
 */
export async function provisionTables(endpoint: string, tables: readonly string[]): Promise<void> {
  for (const TableName of tables) {
    const created = await callDynamoDb(endpoint, 'CreateTable', {
      TableName,
      AttributeDefinitions: [{ AttributeName: 'key', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
    expectDone(created, /^ResourceInUseException/, `${endpoint} does not make the table ${TableName}`);
    const TimeToLiveSpecification = { Enabled: true, AttributeName: 'expiresAt' };
    const expiring = await callDynamoDb(endpoint, 'UpdateTimeToLive', { TableName, TimeToLiveSpecification });
    const refused = `${endpoint} does not let the documents of ${TableName} expire`;
    expectDone(expiring, /^ValidationException .*already enabled/, refused);
  }
}

/** @throws StackError it was refused, for another reason than that it is done already. */
function expectDone(answer: unknown, isDone: RegExp, complaint: string): void {
  const refused = refusal(answer);
  if (refused === undefined || isDone.test(refused)) return;
  throw new StackError(`${complaint}: ${refused}`, 'Mend the component.');
}

/** All documents of a table, by key: past Dapr, for tests that check what is stored. */
export async function scanTable(endpoint: string, table: string): Promise<{ key: string; text: string }[]> {
  const documents: { key: string; text: string }[] = [];
  let ExclusiveStartKey: unknown;
  do {
    const page = (await callDynamoDb(endpoint, 'Scan', { TableName: table, ExclusiveStartKey })) as ScanAnswer;
    if (refusal(page) !== undefined) throw new Error(`the table ${table} cannot be read: ${JSON.stringify(page)}`);
    for (const { key, value } of page.Items) {
      documents.push({ key: key.S, text: value.S ?? Buffer.from(value.B ?? '', 'base64').toString('utf8') });
    }
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return documents;
}

interface ScanAnswer {
  readonly Items: readonly { readonly key: { S: string }; readonly value: { S?: string; B?: string } }[];
  readonly LastEvaluatedKey?: unknown;
}

/** One call of the JSON protocol; a refusal is an answer with `__type`. The emulator wants a signature, and believes any. */
async function callDynamoDb(endpoint: string, operation: string, body: object): Promise<unknown> {
  const scope = '20260101/local/dynamodb/aws4_request';
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=local/${scope}, SignedHeaders=host;x-amz-date, Signature=0`,
      'x-amz-date': '20260101T000000Z',
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  return answer.json();
}

function refusal(answer: unknown): string | undefined {
  const { __type: type, message = '' } = answer as { __type?: string; message?: string };
  return type === undefined ? undefined : `${type.replace(/^.*#/, '')} ${message}`;
}
