// Keeps a table in step with a topic: batches of messages become rows in one statement.
import type { Logger } from 'pino';
import type { Subscription } from '../dapr/subscriber.ts';
import type { TopicName } from '../events/catalogue.ts';
import type { Message } from '../events/message.ts';
import type { Status } from '../events/reactor.ts';
import { ValuesRefused } from './database.ts';
import type { Row, Table } from './table.ts';

const TRIES = 5;

/** A table and what each type of message makes of it: whole rows, so that a newer one can stand for all before it. */
export interface TableRows {
  readonly table: Table;
  readonly rows: Readonly<Record<string, (message: Message<never>) => readonly Row[]>>;
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

  /** Each table takes its rows in one statement; a repeat of what is there changes nothing. */
  async function write(messages: readonly Message[]): Promise<void> {
    for (const { table, rows } of tables) {
      await table.write(messages.flatMap((message) => rows[message.type]?.(message as Message<never>) ?? []));
    }
  }

  async function one(message: Message): Promise<Status> {
    try {
      await write([message]);
      failures.delete(message.id);
      return 'SUCCESS';
    } catch (error) {
      log.warn({ err: error, message: message.id }, 'a row could not be written');
      if (!(error instanceof ValuesRefused)) return 'RETRY';
      const attempts = (failures.get(message.id) ?? 0) + 1;
      failures.set(message.id, attempts);
      return attempts < TRIES ? 'RETRY' : { poison: 'PROJECTION_FAILED', attempts };
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
        await write(messages);
        return messages.map(() => 'SUCCESS');
      } catch (error) {
        log.warn({ err: error, topic: projection.topic }, 'a batch could not be projected at once');
      }
      const statuses: Status[] = [];
      for (const message of messages) statuses.push(await one(message));
      return statuses;
    },
  };
}
