// Keeps a table in step with a topic: batches of messages become rows in one statement.
import type { Logger } from 'pino';
import type { Subscription } from '../dapr/subscriber.ts';
import type { TopicName } from '../events/catalogue.ts';
import type { Message } from '../events/message.ts';
import type { Status } from '../events/reactor.ts';
import type { Row, Table } from './table.ts';

const TRIES = 5;

export interface Projection {
  readonly table: Table;
  readonly topic: TopicName;
  /** What a message makes of the view: whole rows, so that a newer message can stand for all before it. */
  readonly rows: Readonly<Record<string, (message: Message<never>) => readonly Row[]>>;
}

/** The subscription of a projection. A batch that fails is tried message by message; one that never fits is poison. */
export function project(projection: Projection, log: Logger): Subscription {
  const failures = new Map<string, number>();
  const rowsOf = (message: Message): readonly Row[] => projection.rows[message.type]?.(message as Message<never>) ?? [];
  const { table } = projection;

  async function one(message: Message): Promise<Status> {
    try {
      await table.write(rowsOf(message));
      failures.delete(message.id);
      return 'SUCCESS';
    } catch (error) {
      log.warn({ err: error, message: message.id }, 'a row could not be written');
      if (!(await answers(table))) return 'RETRY';
      const attempts = (failures.get(message.id) ?? 0) + 1;
      failures.set(message.id, attempts);
      return attempts < TRIES ? 'RETRY' : { poison: 'PROJECTION_FAILED', attempts };
    }
  }

  return {
    pubsub: 'pubsub-views',
    topic: projection.topic,
    types: Object.keys(projection.rows),
    maxMessages: 200,
    maxAwait: 200,
    async handle(messages) {
      try {
        await table.write(messages.flatMap(rowsOf));
        return messages.map(() => 'SUCCESS');
      } catch (error) {
        log.warn({ err: error, table: table.definition.name }, 'a batch could not be projected at once');
      }
      const statuses: Status[] = [];
      for (const message of messages) statuses.push(await one(message));
      return statuses;
    },
  };
}

async function answers(table: Table): Promise<boolean> {
  try {
    return (await table.database.query<{ one: number }>('select 1 as one')).length === 1;
  } catch {
    return false;
  }
}
