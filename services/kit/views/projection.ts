// Keeps a table in step with a topic: batches of messages become rows in one statement.
import type { Logger } from 'pino';
import type { Subscription } from '../dapr/subscriber.ts';
import { causeOf, Fault } from '../errors.ts';
import type { TopicName } from '../events/catalogue.ts';
import type { Message } from '../events/message.ts';
import type { Status } from '../events/reactor.ts';
import { ValuesRefused } from './database.ts';
import type { Row, Table } from './table.ts';

const TRIES = 5;

/**
 * A table and what each type of message makes of it: whole rows, so that a newer one can stand for all before it. Rows of
 * what no event may carry (personal data) are read by the message's id from the own store, which then is as new or newer.
 */
export interface TableRows {
  readonly table: Table;
  readonly rows: Readonly<Record<string, (message: Message<never>) => readonly Row[] | Promise<readonly Row[]>>>;
}

/** What is kept of one topic. A topic is heard once by a service's views, however many tables it fills. */
export interface Projection {
  readonly topic: TopicName;
  readonly tables: readonly TableRows[];
}

/** The subscription of a projection. A batch that fails is tried message by message; one that never fits is poison. */
export function project(projection: Projection, log: Logger): Subscription {
  const failures = new Map<string, number>();
  const { tables } = projection;

  function rowsOf(messages: readonly Message[]): Promise<Row[][]> {
    const made = ({ rows }: TableRows) =>
      messages.map((message) => rows[message.type]?.(message as Message<never>) ?? []);
    return Promise.all(tables.map(async (each) => (await Promise.all(made(each))).flat()));
  }

  /** Each table takes its rows in one statement; a repeat of what is there changes nothing. */
  async function write(rows: readonly Row[][]): Promise<void> {
    for (const [n, { table }] of tables.entries()) await table.write(rows[n] ?? []);
  }

  function failed(message: Message, error: unknown): Status {
    const attempts = (failures.get(message.id) ?? 0) + 1;
    if (attempts < TRIES) {
      failures.set(message.id, attempts);
      return 'RETRY';
    }
    failures.delete(message.id);
    return { poison: 'PROJECTION_FAILED', attempts, detail: causeOf(error) };
  }

  /** Undefined: the database takes nothing now, whoever asks. */
  async function one(message: Message): Promise<Status | undefined> {
    let rows: Row[][];
    try {
      rows = await rowsOf([message]);
    } catch (error) {
      log.warn({ err: error, message: message.id }, 'a row could not be made');
      return error instanceof Fault ? 'RETRY' : failed(message, error); // what it reads is out of reach: nothing is wrong
    }
    try {
      await write(rows);
      failures.delete(message.id);
      return 'SUCCESS';
    } catch (error) {
      log.warn({ err: error, message: message.id }, 'a row could not be written');
      return error instanceof ValuesRefused ? failed(message, error) : undefined;
    }
  }

  return {
    pubsub: 'pubsub-views',
    topic: projection.topic,
    types: [...new Set(tables.flatMap(({ rows }) => Object.keys(rows)))],
    maxMessages: 200,
    maxAwait: 500,
    async handle(messages) {
      try {
        await write(await rowsOf(messages));
        for (const { id } of messages) failures.delete(id);
        return messages.map(() => 'SUCCESS');
      } catch (error) {
        log.warn({ err: error, topic: projection.topic }, 'a batch could not be projected at once');
      }
      const statuses: Status[] = [];
      for (const message of messages) {
        const status = await one(message);
        if (status === undefined) break; // each further try could take a whole time-out
        statuses.push(status);
      }
      return messages.map((_, index) => statuses[index] ?? 'RETRY');
    },
  };
}
