// The list of notifications: what the sweep finds open work in.
import type { Message } from '#kit/events/message';
import type { Database } from '#kit/views/database';
import type { Projection } from '#kit/views/projection';
import { type Row, Table } from '#kit/views/table';
import { idOfNotification, type NotificationEvent } from './notification.ts';

/** Seconds that the process which asked for a mail has for itself before others look at it. */
const GRACE = 5;

export interface NotificationViews {
  readonly projection: Projection;
  /** Ids of notifications that should have been sent by now, oldest first, at most a hundred after `after`. */
  due(after: string): Promise<string[]>;
}

export function notificationViews(database: Database): NotificationViews {
  const table = new Table(database, {
    name: 'notifications',
    columns: {
      id: 'text',
      version: 'integer',
      status: 'text',
      order_id: 'text',
      template: 'text',
      account_id: 'text',
      reason: 'text?',
      due_at: 'timestamptz?',
    },
    indexes: ['create index if not exists notifications_due on notifications (id) where due_at is not null'],
  });
  const row =
    (status: 'requested' | 'sent' | 'skipped') =>
    ({ version, at, data }: Message<NotificationEvent['data']>): Row[] => [
      {
        id: idOfNotification(data),
        version,
        status,
        order_id: data.orderId,
        template: data.template,
        account_id: data.accountId,
        reason: 'reason' in data ? data.reason : null,
        due_at: status === 'requested' ? new Date(Date.parse(at) + GRACE * 1_000).toISOString() : null,
      },
    ];
  const rows = {
    'notification.requested': row('requested'),
    'notification.sent': row('sent'),
    'notification.skipped': row('skipped'),
  };
  return {
    projection: { topic: 'notifications', tables: [{ table, rows }] },
    async due(after) {
      const found = await database.query<{ id: string }>(
        'select id from notifications where due_at <= now() and id > $1 order by id limit 100',
        [after],
      );
      return found.map(({ id }) => id);
    },
  };
}
