// Payments that wait for the provider: what the work sweep takes up again.
import type { Message } from '#kit/events/message';
import type { Database } from '#kit/views/database';
import type { Projection } from '#kit/views/projection';
import { type Row, Table } from '#kit/views/table';
import type { Due, ReturnedPart } from './payment.ts';

export interface PaymentViews {
  readonly projection: Projection;
  /** Payments that have been waiting for longer than so many seconds, at most 100. */
  pending(seconds: number): Promise<string[]>;
}

/** Some return still waits for its money. */
function isOwed({ requestedAmount, refundedAmount }: Due & ReturnedPart): boolean {
  return requestedAmount > refundedAmount;
}

export function paymentViews(database: Database): PaymentViews {
  const table = new Table(database, {
    name: 'payments',
    columns: {
      id: 'text',
      version: 'integer',
      order_id: 'text',
      shop_id: 'text',
      amount: 'bigint',
      currency: 'text',
      pending: 'boolean',
      at: 'timestamptz',
    },
    indexes: ['create index if not exists payments_pending on payments (at) where pending'],
  });
  const row =
    <D extends Due>(pending: boolean | ((data: D) => boolean)) =>
    ({ version, at, data }: Message<D>): Row[] => [
      {
        id: data.paymentId,
        version,
        order_id: data.orderId,
        shop_id: data.shopId,
        amount: data.amount,
        currency: data.currency,
        pending: typeof pending === 'boolean' ? pending : pending(data),
        at,
      },
    ];
  return {
    projection: {
      topic: 'payments',
      tables: [
        {
          table,
          rows: {
            'payment.requested': row(true),
            'payment.cancellation-noted': row(true),
            'payment.refund-requested': row(true),
            'payment.return-requested': row(isOwed),
            'payment.return-refunded': row(isOwed),
            'payment.captured': row(false),
            'payment.failed': row(false),
            'payment.voided': row(false),
            'payment.refunded': row(false),
          },
        },
      ],
    },
    async pending(seconds) {
      const sql =
        "select id from payments where pending and at < now() - $1::int * interval '1 second' order by at limit 100";
      return (await database.query<{ id: string }>(sql, [seconds])).map(({ id }) => id);
    },
  };
}
